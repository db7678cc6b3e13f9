/** How often a microphone sends a packet, in milliseconds. */
export const packetMs = 20;

/** One-byte header extensions (RFC 8285), under the ids that Chrome gives them. */
export const extensionIds = { audioLevel: 1, absSendTime: 2, transportWide: 3, mid: 4 } as const;

/** What a header says of its packet. */
export type PacketFacts = {
  /** Of its first sample, in 48ths of a millisecond. */
  readonly timestamp?: number;
  /** RFC 6464: in dB under full scale, 0 to 127. */
  readonly level?: number;
  readonly voice?: boolean;
};

/**
 * RTP headers as Chrome writes them for a microphone that somebody speaks into: an Opus packet every 20 ms, with the
 * level of the voice, the time of sending and the transport-wide number.
 */
export class RtpHeaders {
  readonly #ssrc: number;
  #sequence = Math.floor(Math.random() * 0x8000);
  #timestamp = Math.floor(Math.random() * 0x8000_0000);
  #transportWide = 0;

  constructor(ssrc: number) {
    this.#ssrc = ssrc;
  }

  /** The header of the next packet; of somebody who speaks without a pause where nothing else is said. */
  next({ timestamp, level, voice = true }: PacketFacts = {}): Buffer {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = timestamp ?? (this.#timestamp + 48 * packetMs) >>> 0;
    this.#transportWide = (this.#transportWide + 1) & 0xffff;
    const header = Buffer.alloc(28);
    header.writeUInt8(0x90, 0); // version 2, with extensions
    header.writeUInt8(111, 1);
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(this.#timestamp, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    header.writeUInt16BE(0xbede, 12);
    header.writeUInt16BE(3, 14); // in words of four bytes
    header.writeUInt8(extensionIds.audioLevel << 4, 16);
    header.writeUInt8((voice ? 0x80 : 0) | (level ?? 25 + (this.#sequence % 10)), 17); // −25 to −34 dBov
    header.writeUInt8((extensionIds.absSendTime << 4) | 2, 18);
    header.writeUIntBE(Math.floor(performance.now() * 262.144) & 0xffffff, 19, 3); // seconds in 6.18 fixed point
    header.writeUInt8((extensionIds.transportWide << 4) | 1, 22);
    header.writeUInt16BE(this.#transportWide, 23);
    header.writeUInt8(extensionIds.mid << 4, 25);
    header.write('0', 26);
    return header;
  }
}
