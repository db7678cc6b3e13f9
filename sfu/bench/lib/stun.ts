import { createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const bindingRequest = 0x0001;
const bindingResponse = 0x0101;
const magicCookie = 0x2112a442;

/** The names and the password of an ICE check (RFC 8445 section 7.2.2). */
export type IceCredentials = {
  readonly usernameFragment: string;
  readonly password: string;
  readonly ownUsernameFragment: string;
};

const attribute = (type: number, value: Buffer): Buffer => {
  const header = Buffer.from([type >> 8, type & 0xff, value.length >> 8, value.length & 0xff]);
  return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
};

const message = (transaction: Buffer, attributes: Buffer, furtherLength: number): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(bindingRequest, 0);
  header.writeUInt16BE(attributes.length + furtherLength, 2);
  header.writeUInt32BE(magicCookie, 4);
  return Buffer.concat([header, transaction, attributes]);
};

/**
 * A connectivity check that nominates its pair (RFC 8445 section 7.1), with which ICE is done against a server that is
 * ICE lite. The same check, sent now and then, keeps the consent (RFC 7675).
 */
export const iceCheck = (credentials: IceCredentials): { readonly transaction: Buffer; readonly request: Buffer } => {
  const transaction = randomBytes(12);
  const { usernameFragment, password, ownUsernameFragment } = credentials;
  const attributes = Buffer.concat([
    attribute(0x0006, Buffer.from(`${usernameFragment}:${ownUsernameFragment}`)), // USERNAME
    attribute(0x0024, Buffer.from([0x6e, 0x7f, 0x1e, 0xff])), // PRIORITY of a peer-reflexive candidate
    attribute(0x802a, randomBytes(8)), // ICE-CONTROLLING
    attribute(0x0025, Buffer.alloc(0)), // USE-CANDIDATE
  ]);
  // RFC 8489 sections 14.5 and 14.7: each of the two covers the message as if it ended with itself.
  const integrity = createHmac('sha1', password)
    .update(message(transaction, attributes, 24))
    .digest();
  const signed = Buffer.concat([attributes, attribute(0x0008, integrity)]);
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE((crc32(message(transaction, signed, 8)) ^ 0x5354554e) >>> 0);
  return { transaction, request: message(transaction, Buffer.concat([signed, attribute(0x8028, fingerprint)]), 0) };
};

/** Whether this datagram is the success response to that check. */
export const answersCheck = (datagram: Buffer, transaction: Buffer): boolean =>
  datagram.length >= 20 && datagram.readUInt16BE(0) === bindingResponse && datagram.subarray(8, 20).equals(transaction);
