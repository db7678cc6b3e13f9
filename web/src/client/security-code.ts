import { fingerprintsOf } from '@rostrum/shared/call/sdp.ts';

/** Names what the code is for, so that nothing that was computed for something else is of use against it. */
const salt = 'rostrum security code of a 1:1 call, version 1';
/**
 * Whoever is in between has the time of connecting, a few seconds, to make certificates until the codes at both ends happen
 * to be equal: at 50 bits 32 million for each end (a birthday search). No code is settled before both certificates are known,
 * so each try is made to cost about a tenth of a second of a computer's time.
 */
const iterations = 200_000;
const letters = 10;
const bitsPerLetter = 5;
/** PBKDF2 gives whole bytes: as many as the letters need, 56 bits for their 50. */
const derivedBits = 8 * Math.ceil((letters * bitsPerLetter) / 8);

/** Crockford's base 32: no I, L, O, U, which are taken for others when they are read out. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * The short code that both people of a call can compare (SE-9), made from the DTLS fingerprints of both descriptions: equal
 * at both ends when each side has the other's certificate, and nobody is in between. Two groups of five letters and digits.
 */
export const securityCode = async (local: string, remote: string): Promise<string> => {
  const fingerprints = [...new Set([...fingerprintsOf(local), ...fingerprintsOf(remote)])].sort();
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', encoder.encode(fingerprints.join('\n')), 'PBKDF2', false, [
    'deriveBits',
  ]);
  const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt: encoder.encode(salt), iterations };
  const derived = new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, derivedBits));
  return lettersOf(derived);
};

const lettersOf = (bytes: Uint8Array): string => {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  const code = Array.from({ length: letters }, (_, index) => {
    const shift = BigInt(derivedBits - bitsPerLetter * (index + 1));
    return alphabet.charAt(Number((value >> shift) & 31n));
  }).join('');
  return `${code.slice(0, letters / 2)}-${code.slice(letters / 2)}`;
};
