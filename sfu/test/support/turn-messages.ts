import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Address } from './turn-far-sockets.ts';

/** Messages of STUN (RFC 8489) and what TURN adds to it (RFC 8656), as far as the tests speak it. */

const magicCookie = Buffer.from('2112a442', 'hex');
const headerBytes = 20;

/** RFC 8489 section 18.2, RFC 8656 section 17. */
export const methods = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const;
export type Method = (typeof methods)[keyof typeof methods];

/** RFC 8489 section 5. */
export const classes = { request: 0, indication: 1, success: 2, error: 3 } as const;
export type MessageClass = (typeof classes)[keyof typeof classes];

/** RFC 8489 section 18.3, RFC 8656 section 18. */
export const attributes = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
  software: 0x8022,
  fingerprint: 0x8028,
} as const;

export type Attribute = readonly [type: number, value: Buffer];
export type Message = {
  readonly method: number;
  readonly class: number;
  readonly transactionId: Buffer;
  readonly attributes: readonly Attribute[];
};

export const newTransactionId = (): Buffer => randomBytes(12);

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const attributeBytes = ([type, value]: Attribute): Buffer =>
  Buffer.concat([uint16(type), uint16(value.length), value, Buffer.alloc(-value.length & 3)]);

const header = (message: Message, length: number): Buffer => {
  const { method, class: kind } = message;
  const type =
    ((method & 0xf80) << 2) | ((method & 0x070) << 1) | (method & 0xf) | ((kind & 2) << 7) | ((kind & 1) << 4);
  return Buffer.concat([uint16(type), uint16(length), magicCookie, message.transactionId]);
};

/** The bytes of a message; with a key it ends in a MESSAGE-INTEGRITY under it (RFC 8489 section 14.5). */
export const encode = (message: Message, key?: Buffer): Buffer => {
  const body = Buffer.concat(message.attributes.map(attributeBytes));
  if (!key) return Buffer.concat([header(message, body.length), body]);
  // The length counts the integrity, which is computed over all that comes before it.
  const signed = Buffer.concat([header(message, body.length + 24), body]);
  const integrity = createHmac('sha1', key).update(signed).digest();
  return Buffer.concat([signed, attributeBytes([attributes.messageIntegrity, integrity])]);
};

/** The message of these bytes; throws where they are none. */
export const decode = (bytes: Buffer): Message => {
  const type = bytes.readUInt16BE(0);
  const end = headerBytes + bytes.readUInt16BE(2);
  if (type >= 0x4000 || end !== bytes.length || !bytes.subarray(4, 8).equals(magicCookie))
    throw new Error('not a STUN message');
  const found: Attribute[] = [];
  for (let at = headerBytes; at < end; ) {
    const length = bytes.readUInt16BE(at + 2);
    found.push([bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length)]);
    at += 4 + length + (-length & 3);
  }
  return {
    method: ((type >> 2) & 0xf80) | ((type >> 1) & 0x070) | (type & 0xf),
    class: ((type >> 7) & 2) | ((type >> 4) & 1),
    transactionId: bytes.subarray(8, headerBytes),
    attributes: found,
  };
};

/** How many bytes from here make a message of a stream, its padding included; undefined while its head is not there yet. */
export const lengthInStream = (bytes: Buffer): number | undefined => {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt16BE(2);
  // What begins with 01 in bits is data of a channel (RFC 8656 section 12.5).
  return (bytes.readUInt8(0) & 0xc0) === 0x40 ? 4 + length + (-length & 3) : headerBytes + length;
};

export const attributeOf = (message: Message, type: number): Buffer | undefined =>
  message.attributes.find(([one]) => one === type)?.[1];

/** RFC 8489 section 14.8: hundreds, then the rest. */
export const errorCodeOf = (message: Message): number | undefined => {
  const value = attributeOf(message, attributes.errorCode);
  return value && value.readUInt8(2) * 100 + value.readUInt8(3);
};

/** The key of a long-term credential (RFC 8489 section 9.2.2). */
export const longTermKey = (username: string, realm: string, password: string): Buffer =>
  createHash('md5').update(`${username}:${realm}:${password}`).digest();

/** RFC 8489 section 14.2: the address and port under a mask, so that no NAT on the way rewrites them. */
export const xorAddress = ({ address, port }: Address, transactionId: Buffer): Buffer => {
  const bytes = addressBytes(address);
  const family = bytes.length === 4 ? 1 : 2;
  return Buffer.concat([Buffer.from([0, family]), uint16(port ^ 0x2112), masked(bytes, transactionId)]);
};

export const addressFrom = (value: Buffer, transactionId: Buffer): Address => {
  const bytes = masked(value.subarray(4), transactionId);
  const groups = Array.from({ length: 8 }, (_, index) => (bytes.length === 16 ? bytes.readUInt16BE(index * 2) : 0));
  return {
    address: bytes.length === 4 ? [...bytes].join('.') : groups.map((group) => group.toString(16)).join(':'),
    port: value.readUInt16BE(2) ^ 0x2112,
  };
};

const masked = (bytes: Buffer, transactionId: Buffer): Buffer => {
  const mask = Buffer.concat([magicCookie, transactionId]);
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index] ?? 0)));
};

/** 4 or 16 bytes, of every way to write an address (RFC 4291 section 2.2). */
const addressBytes = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const [before, after] = [groupBytes(head), groupBytes(tail ?? '')];
  const zeros = Buffer.alloc(tail === undefined ? 0 : 16 - before.length - after.length);
  return Buffer.concat([before, zeros, after]);
};

const groupBytes = (text: string): Buffer =>
  Buffer.concat(
    text
      .split(':')
      .filter((group) => group !== '')
      .map((group) => (group.includes('.') ? addressBytes(group) : uint16(Number.parseInt(group, 16)))),
  );
