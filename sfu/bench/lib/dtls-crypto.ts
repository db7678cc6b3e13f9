import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

/** The pseudorandom function of TLS 1.2 with SHA-256 (RFC 5246 section 5). */
export const prf = (secret: Buffer, label: string, seed: Buffer, length: number): Buffer => {
  const labelled = Buffer.concat([Buffer.from(label), seed]);
  const hmac = (data: Buffer) => createHmac('sha256', secret).update(data).digest();
  const blocks: Buffer[] = [];
  let a = labelled;
  for (let made = 0; made < length; made += 32) {
    a = hmac(a);
    blocks.push(hmac(Buffer.concat([a, labelled])));
  }
  return Buffer.concat(blocks).subarray(0, length);
};

/** What a record's authentication covers besides its contents (RFC 5246 section 6.2.3.3). */
export type RecordHeader = { readonly epochAndSequence: Buffer; readonly type: number };

const tagLength = 16;
const nonceLength = 8;

const additionalData = ({ epochAndSequence, type }: RecordHeader, length: number): Buffer =>
  Buffer.concat([epochAndSequence, Buffer.from([type, 0xfe, 0xfd, length >> 8, length & 0xff])]);

/** Encrypts the contents of a record with AES-128-GCM: the explicit nonce, the ciphertext, the tag. */
export const sealRecord = (key: Buffer, salt: Buffer, header: RecordHeader, plain: Buffer): Buffer => {
  const nonce = header.epochAndSequence;
  const cipher = createCipheriv('aes-128-gcm', key, Buffer.concat([salt, nonce]));
  cipher.setAAD(additionalData(header, plain.length));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
};

/** The contents of an encrypted record. Throws when it is not authentic. */
export const openRecord = (key: Buffer, salt: Buffer, header: RecordHeader, sealed: Buffer): Buffer => {
  const nonce = sealed.subarray(0, nonceLength);
  const encrypted = sealed.subarray(nonceLength, sealed.length - tagLength);
  const decipher = createDecipheriv('aes-128-gcm', key, Buffer.concat([salt, nonce]));
  decipher.setAAD(additionalData(header, encrypted.length));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength));
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
};
