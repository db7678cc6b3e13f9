/** The messages of a DTLS 1.2 handshake (RFC 6347, RFC 5246 section 7.4), as far as a WebRTC client needs them. */

export const contentType = { changeCipherSpec: 20, alert: 21, handshake: 22 } as const;

export const messageType = {
  clientHello: 1,
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

/** TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (RFC 5289): what browsers and mediasoup agree on. */
const cipherSuite = 0xc02b;
/** SRTP_AEAD_AES_256_GCM (RFC 7714 section 14.2): the one that mediasoup prefers of those that browsers offer. */
const srtpProfile = 0x0008;

const u8 = (value: number): Buffer => Buffer.from([value]);
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
const sized8 = (body: Buffer): Buffer => Buffer.concat([u8(body.length), body]);
const sized16 = (body: Buffer): Buffer => Buffer.concat([u16(body.length), body]);
const sized24 = (body: Buffer): Buffer => Buffer.concat([u24(body.length), body]);

const extension = (type: number, body: Buffer): Buffer => Buffer.concat([u16(type), sized16(body)]);

const secp256r1 = 0x0017;
const ecdsaSha256 = 0x0403;
const extendedMasterSecret = 0x0017;

export const clientHello = (random: Buffer): Buffer => {
  const extensions = [
    extension(0x000a, sized16(u16(secp256r1))), // supported groups
    extension(0x000b, sized8(u8(0))), // uncompressed points
    extension(0x000d, sized16(Buffer.concat([u16(ecdsaSha256), u16(0x0804), u16(0x0401)]))), // signature algorithms
    extension(0x000e, Buffer.concat([sized16(u16(srtpProfile)), u8(0)])), // use_srtp, RFC 5764 section 4.1.1
    extension(extendedMasterSecret, Buffer.alloc(0)), // RFC 7627
    extension(0xff01, u8(0)), // renegotiation info, RFC 5746
  ];
  return Buffer.concat([
    u16(0xfefd),
    random,
    u8(0), // no session
    u8(0), // no cookie: mediasoup asks for none, since ICE has proven the address
    sized16(u16(cipherSuite)),
    sized8(u8(0)), // no compression
    sized16(Buffer.concat(extensions)),
  ]);
};

export type ServerHello = { readonly random: Buffer; readonly extendedMasterSecret: boolean };

/** Throws when the server chose something that was not offered. */
export const readServerHello = (body: Buffer): ServerHello => {
  const random = body.subarray(2, 34);
  let at = 35 + body.readUInt8(34);
  if (body.readUInt16BE(at) !== cipherSuite) throw new Error('the server chose another cipher suite');
  at += 5;
  const extensions = new Map<number, Buffer>();
  while (at < body.length) {
    const length = body.readUInt16BE(at + 2);
    extensions.set(body.readUInt16BE(at), body.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  if (extensions.get(0x000e)?.readUInt16BE(2) !== srtpProfile) throw new Error('the server chose no SRTP profile');
  return { random, extendedMasterSecret: extensions.has(extendedMasterSecret) };
};

/** The server's point on the curve. Its signature is not checked: what is sent is noise, whoever hears it. */
export const readServerKeyExchange = (body: Buffer): Buffer => {
  if (body.readUInt8(0) !== 3 || body.readUInt16BE(1) !== secp256r1) throw new Error('the server chose another curve');
  return body.subarray(4, 4 + body.readUInt8(3));
};

export const certificateMessage = (certificate: Buffer): Buffer => sized24(sized24(certificate));
export const clientKeyExchange = (point: Buffer): Buffer => sized8(point);
export const certificateVerify = (signature: Buffer): Buffer => Buffer.concat([u16(ecdsaSha256), sized16(signature)]);

/** A message with its header, in one piece. What both sides hash looks like this too, however it was sent. */
export const framed = (type: number, sequence: number, body: Buffer): Buffer =>
  Buffer.concat([u8(type), u24(body.length), u16(sequence), u24(0), u24(body.length), body]);

export type Message = { readonly type: number; readonly sequence: number; readonly body: Buffer };

/** Puts the fragments of handshake messages together, and hands the messages out in order, each once. */
export class Reassembly {
  readonly #partial = new Map<number, { type: number; body: Buffer; have: Set<number>; missing: number }>();
  #next = 0;

  /** Takes the contents of one handshake record. */
  add(contents: Buffer): void {
    for (let at = 0; at + 12 <= contents.length; ) {
      const length = contents.readUIntBE(at + 1, 3);
      const sequence = contents.readUInt16BE(at + 4);
      const offset = contents.readUIntBE(at + 6, 3);
      const fragment = contents.subarray(at + 12, at + 12 + contents.readUIntBE(at + 9, 3));
      at += 12 + fragment.length;
      if (sequence < this.#next) continue;
      const type = contents.readUInt8(at - 12 - fragment.length);
      const partial = this.#partial.get(sequence) ?? {
        type,
        body: Buffer.alloc(length),
        have: new Set<number>(),
        missing: length,
      };
      this.#partial.set(sequence, partial);
      // A peer that sends again cuts its messages at the same places.
      if (partial.have.has(offset)) continue;
      partial.have.add(offset);
      partial.missing -= fragment.length;
      fragment.copy(partial.body, offset);
    }
  }

  /** The next message, if it is complete. */
  next(): Message | undefined {
    const partial = this.#partial.get(this.#next);
    if (partial === undefined || partial.missing > 0) return undefined;
    this.#partial.delete(this.#next);
    this.#next += 1;
    return { type: partial.type, sequence: this.#next - 1, body: partial.body };
  }
}
