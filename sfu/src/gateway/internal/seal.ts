import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/**
 * How nodes prove to each other that they have the cluster's secret: what they say is sealed with it (AES-256-GCM, NIST
 * SP 800-38D), so it can be neither read, nor made, nor changed by anybody else. A secret or a token in a header would
 * show who speaks, but leave the SRTP keys of every pipe to whoever listens on the network between the nodes, and the
 * voices with them; and TLS would need a certificate for each node.
 *
 * Every message has a key of its own, derived (HKDF, RFC 5869) from the secret and a random salt that goes along. So the
 * nonce can be constant, and no number of messages wears the secret out.
 */
const algorithm = 'aes-256-gcm';
const saltBytes = 32;
const tagBytes = 16;
const keyBytes = 32;
const nonce = Buffer.alloc(12);

const keyFrom = (secret: Uint8Array, salt: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, 'rostrum between nodes', keyBytes));

/** `about` is what the message belongs to (a path, a request); opened with another, it is no message of ours. */
export const seal = (secret: Uint8Array, message: unknown, about: string): Buffer => {
  const salt = randomBytes(saltBytes);
  const cipher = createCipheriv(algorithm, keyFrom(secret, salt), nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(about));
  const text = Buffer.concat([cipher.update(JSON.stringify(message), 'utf8'), cipher.final()]);
  return Buffer.concat([salt, cipher.getAuthTag(), text]);
};

/** The message, or undefined when it was not sealed with this secret and about this. The tag is compared in constant time. */
export const unseal = (secret: Uint8Array, sealed: Uint8Array, about: string): { message: unknown } | undefined => {
  if (sealed.length < saltBytes + tagBytes) return undefined;
  const salt = sealed.subarray(0, saltBytes);
  const decipher = createDecipheriv(algorithm, keyFrom(secret, salt), nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(about));
  decipher.setAuthTag(sealed.subarray(saltBytes, saltBytes + tagBytes));
  try {
    const text = Buffer.concat([decipher.update(sealed.subarray(saltBytes + tagBytes)), decipher.final()]);
    return { message: JSON.parse(text.toString('utf8')) };
  } catch {
    return undefined;
  }
};

/** What a reply is about: the one request that it answers, known by its salt and tag. */
export const replyTo = (request: Uint8Array): string =>
  `reply to ${Buffer.from(request.subarray(0, saltBytes + tagBytes)).toString('base64')}`;
