import { createECDH, createHash, randomBytes, sign } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { openRecord, prf, sealRecord } from './dtls-crypto.ts';
import {
  certificateMessage,
  certificateVerify,
  clientHello,
  clientKeyExchange,
  contentType,
  framed,
  type Message,
  messageType,
  Reassembly,
  readServerHello,
  readServerKeyExchange,
  type ServerHello,
} from './dtls-messages.ts';

/** The master key and salt by which one side sends SRTP (RFC 5764 section 4.2). */
export type SrtpMaterial = { readonly key: Buffer; readonly salt: Buffer };

const srtpKeyLength = 32;
const srtpSaltLength = 12;
/** How long an answer is waited for before the last flight is sent again, in milliseconds; twice as long every time after. */
const resendMs = 250;
const mostResends = 4;

type Keys = { readonly master: Buffer; readonly clientKey: Buffer; readonly serverKey: Buffer; readonly salts: Buffer };

/**
 * The client's side of one DTLS 1.2 handshake with mediasoup, up to the SRTP keys. It does what a browser does on the
 * wire and no more: one cipher suite, one curve, no session, no application data. The server is not authenticated:
 * what is sent under these keys is noise, and may be heard by anybody.
 */
export class DtlsClient {
  readonly #certificate: Certificate;
  readonly #send: (datagram: Buffer) => void;
  readonly #settled = Promise.withResolvers<SrtpMaterial>();
  readonly #messages = new Reassembly();
  readonly #random = randomBytes(32);
  readonly #transcript: Buffer[] = [];
  #server: ServerHello | undefined;
  #serverPoint: Buffer | undefined;
  #keys: Keys | undefined;
  #flight: Buffer[] = [];
  #resends = 0;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;

  constructor(certificate: Certificate, send: (datagram: Buffer) => void) {
    this.#certificate = certificate;
    this.#send = send;
    // It may be closed before anybody waits for it; whoever does sees the rejection.
    this.#settled.promise.catch(() => undefined);
  }

  /** Shakes hands; resolves with the keys by which this side sends. Rejects when the server refuses or does not answer. */
  handshake(): Promise<SrtpMaterial> {
    const hello = framed(messageType.clientHello, 0, clientHello(this.#random));
    this.#transcript.push(hello);
    this.#fly([this.#plainRecord(contentType.handshake, hello)]);
    return this.#settled.promise;
  }

  /** A datagram that came, which may hold several records. */
  receive(datagram: Buffer): void {
    try {
      for (let at = 0; at + 13 <= datagram.length; ) {
        const end = at + 13 + datagram.readUInt16BE(at + 11);
        this.#record(datagram.subarray(at, at + 13), datagram.subarray(at + 13, end));
        at = end;
      }
    } catch (error) {
      this.close(error);
    }
  }

  close(reason: unknown = new Error('closed during the handshake')): void {
    clearTimeout(this.#timer);
    this.#settled.reject(reason);
  }

  #record(header: Buffer, contents: Buffer): void {
    const type = header.readUInt8(0);
    const encrypted = header.readUInt16BE(3) > 0;
    if (type === contentType.alert && !encrypted && contents.readUInt8(0) === 2)
      throw new Error(`the server ended the handshake with alert ${contents.readUInt8(1)}`);
    if (type !== contentType.handshake) return;
    if (encrypted) this.#finished(header, contents);
    else {
      this.#messages.add(contents);
      for (let message = this.#messages.next(); message !== undefined; message = this.#messages.next())
        this.#message(message);
    }
  }

  #message({ type, sequence, body }: Message): void {
    this.#transcript.push(framed(type, sequence, body));
    if (type === messageType.serverHello) this.#server = readServerHello(body);
    if (type === messageType.serverKeyExchange) this.#serverPoint = readServerKeyExchange(body);
    if (type === messageType.serverHelloDone) this.#answer();
  }

  /** The second flight: who we are, our half of the key, and that all of it is ours. */
  #answer(): void {
    if (this.#server === undefined || this.#serverPoint === undefined) throw new Error('the server said too little');
    const exchange = createECDH('prime256v1');
    const point = exchange.generateKeys();
    const certificate = this.#write(messageType.certificate, 1, certificateMessage(this.#certificate.der));
    const keyExchange = this.#write(messageType.clientKeyExchange, 2, clientKeyExchange(point));
    this.#keys = this.#deriveKeys(this.#server, exchange.computeSecret(this.#serverPoint));
    const signature = sign('sha256', Buffer.concat(this.#transcript), this.#certificate.privateKey);
    const verify = this.#write(messageType.certificateVerify, 3, certificateVerify(signature));
    const verifyData = prf(this.#keys.master, 'client finished', this.#transcriptHash(), 12);
    const finished = this.#write(messageType.finished, 4, verifyData);
    const epochAndSequence = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0]);
    const header = { epochAndSequence, type: contentType.handshake };
    this.#fly([
      ...[certificate, keyExchange, verify].map((message) => this.#plainRecord(contentType.handshake, message)),
      this.#plainRecord(contentType.changeCipherSpec, Buffer.from([1])),
      record(header, sealRecord(this.#keys.clientKey, this.#keys.salts.subarray(0, 4), header, finished)),
    ]);
  }

  /** The server's last word, under the new keys: that it opens shows that both sides have them. */
  #finished(header: Buffer, contents: Buffer): void {
    const keys = this.#keys;
    if (keys === undefined || this.#server === undefined) return;
    const sealed = { epochAndSequence: header.subarray(3, 11), type: contentType.handshake };
    const message = openRecord(keys.serverKey, keys.salts.subarray(4), sealed, contents);
    const expected = prf(keys.master, 'server finished', this.#transcriptHash(), 12);
    if (!message.subarray(12).equals(expected)) throw new Error('the server saw another handshake');
    clearTimeout(this.#timer);
    const seed = Buffer.concat([this.#random, this.#server.random]);
    const material = prf(keys.master, 'EXTRACTOR-dtls_srtp', seed, 2 * (srtpKeyLength + srtpSaltLength));
    this.#settled.resolve({
      key: material.subarray(0, srtpKeyLength),
      salt: material.subarray(2 * srtpKeyLength, 2 * srtpKeyLength + srtpSaltLength),
    });
  }

  #deriveKeys(server: ServerHello, shared: Buffer): Keys {
    const master = server.extendedMasterSecret
      ? prf(shared, 'extended master secret', this.#transcriptHash(), 48)
      : prf(shared, 'master secret', Buffer.concat([this.#random, server.random]), 48);
    const block = prf(master, 'key expansion', Buffer.concat([server.random, this.#random]), 40);
    return {
      master,
      clientKey: block.subarray(0, 16),
      serverKey: block.subarray(16, 32),
      salts: block.subarray(32, 40),
    };
  }

  #write(type: number, sequence: number, body: Buffer): Buffer {
    const message = framed(type, sequence, body);
    this.#transcript.push(message);
    return message;
  }

  #transcriptHash(): Buffer {
    return createHash('sha256').update(Buffer.concat(this.#transcript)).digest();
  }

  #plainRecord(type: number, contents: Buffer): Buffer {
    const epochAndSequence = Buffer.alloc(8);
    epochAndSequence.writeUIntBE(this.#sequence, 2, 6);
    this.#sequence += 1;
    return record({ epochAndSequence, type }, contents);
  }

  /** Sends a flight in one datagram, and again while nothing comes of it. */
  #fly(records: Buffer[]): void {
    clearTimeout(this.#timer);
    this.#flight = records;
    this.#resends = 0;
    const send = (): void => {
      this.#send(Buffer.concat(this.#flight));
      this.#timer = setTimeout(
        () => {
          this.#resends += 1;
          if (this.#resends > mostResends) this.close(new Error('the server does not answer over DTLS'));
          else send();
        },
        resendMs * 2 ** this.#resends,
      );
    };
    send();
  }
}

const record = ({ epochAndSequence, type }: { epochAndSequence: Buffer; type: number }, contents: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([type, 0xfe, 0xfd]),
    epochAndSequence,
    Buffer.from([contents.length >> 8, contents.length & 0xff]),
    contents,
  ]);
