import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate with its key, as a WebRTC client has one: self-signed, known by its fingerprint alone (RFC 8827 section 6.5). */
export type Certificate = { readonly der: Buffer; readonly privateKey: KeyObject; readonly fingerprint: string };

/** One DER element (X.690 section 8.1): a tag, the length, the contents. */
const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from([0x82, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
};

const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const commonName = der(0x06, Buffer.from('550403', 'hex'));
const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from('bench')))));
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text));

/** Makes a certificate over P-256, which is what browsers make for WebRTC. */
export const createCertificate = (): Certificate => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const validity = sequence(utcTime('250101000000Z'), utcTime('491231235959Z'));
  // RFC 5280 section 4.1.2; without a version it is X.509 version 1, which needs no extensions.
  const toBeSigned = sequence(
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = sequence(toBeSigned, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const digest = createHash('sha256').update(certificate).digest('hex').toUpperCase();
  return { der: certificate, privateKey, fingerprint: digest.replace(/(..)(?!$)/g, '$1:') };
};
