import { createCipheriv } from 'node:crypto';
import type { SrtpMaterial } from './dtls-client.ts';

/**
 * A key of one session from the master key (RFC 3711 section 4.3.1 with the AES-256 counter mode of RFC 6188). The 96 bits
 * of salt that AES-GCM has are filled up with zeros to the 112 of the original.
 */
const derive = ({ key, salt }: SrtpMaterial, label: number, length: number): Buffer => {
  const counter = Buffer.alloc(16);
  salt.copy(counter);
  counter.writeUInt8(counter.readUInt8(7) ^ label, 7);
  return createCipheriv('aes-256-ctr', key, counter).update(Buffer.alloc(length));
};

/** Encrypts RTP packets by AEAD_AES_256_GCM (RFC 7714 section 8), for one stream whose packets come in order. */
export class SrtpSender {
  readonly #key: Buffer;
  readonly #salt: Buffer;
  readonly #nonce = Buffer.alloc(12);
  #rollovers = 0;
  #last = -1;

  constructor(material: SrtpMaterial) {
    this.#key = derive(material, 0x00, 32);
    this.#salt = derive(material, 0x02, 12);
  }

  /** `header` with its extensions is sent in the clear, and is authenticated. */
  protect(header: Buffer, payload: Buffer): Buffer {
    const sequence = header.readUInt16BE(2);
    if (sequence < this.#last) this.#rollovers += 1;
    this.#last = sequence;
    const nonce = this.#nonce;
    nonce.fill(0);
    header.copy(nonce, 2, 8, 12);
    nonce.writeUInt32BE(this.#rollovers, 6);
    nonce.writeUInt16BE(sequence, 10);
    for (let index = 0; index < 12; index += 1)
      nonce.writeUInt8(nonce.readUInt8(index) ^ this.#salt.readUInt8(index), index);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(header);
    return Buffer.concat([header, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  }
}
