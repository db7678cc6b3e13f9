/** A frame of a WebSocket (RFC 6455 section 5.2) that came whole. */
export type Frame = { readonly opcode: number; readonly payload: Buffer };

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** Lengths from which two, and eight, more bytes say how long a frame is. */
const shortMost = 125;
const middleMost = 0xffff;

/** Cuts what a server sends into frames: they are not masked, and none of ours is in parts. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole with this piece. */
  take(piece: Buffer): Frame[] {
    const frames: Frame[] = [];
    let rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    for (let cut = cutFrame(rest); cut; cut = cutFrame(rest)) {
      frames.push(cut.frame);
      rest = rest.subarray(cut.length);
    }
    this.#rest = rest;
    return frames;
  }
}

const cutFrame = (bytes: Buffer): { frame: Frame; length: number } | undefined => {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const header = { [shortMost + 1]: 4, [shortMost + 2]: 10 }[second] ?? 2;
  if (bytes.length < header) return undefined;
  const size = sizeIn(bytes, header) ?? second;
  const length = header + size;
  if (bytes.length < length) return undefined;
  return { frame: { opcode: first & 0x0f, payload: bytes.subarray(header, length) }, length };
};

const sizeIn = (bytes: Buffer, header: number): number | undefined => {
  if (header === 4) return bytes.readUInt16BE(2);
  return header === 10 ? Number(bytes.readBigUInt64BE(2)) : undefined;
};

/** A text frame as a server sends it. */
export const serverFrame = (text: string): Buffer => frameOf(Buffer.from(text), 0);

/** A text frame as a client sends it: masked, with a mask that changes nothing. */
export const clientFrame = (text: string): Buffer => frameOf(Buffer.from(text), 0x80);

/** What a client answers a ping with (RFC 6455 section 5.5.3): the same bytes. */
export const clientPong = (payload: Buffer): Buffer => frameOf(payload, 0x80, opcodes.pong);

const frameOf = (payload: Buffer, masked: 0 | 0x80, opcode: number = opcodes.text): Buffer => {
  const mask = Buffer.alloc(masked === 0 ? 0 : 4);
  const first = 0x80 | opcode;
  if (payload.length <= shortMost) return Buffer.concat([Buffer.from([first, masked | payload.length]), mask, payload]);
  const header = Buffer.alloc(payload.length <= middleMost ? 4 : 10);
  header[0] = first;
  header[1] = masked | (header.length === 4 ? shortMost + 1 : shortMost + 2);
  if (header.length === 4) header.writeUInt16BE(payload.length, 2);
  else header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, mask, payload]);
};
