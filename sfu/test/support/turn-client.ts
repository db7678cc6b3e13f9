import type { Duplex } from 'node:stream';
import type { Address, FarUdp, Packet } from './turn-far-machine.ts';
import {
  type Attribute,
  addressFrom,
  attributeOf,
  attributes,
  classes,
  decode,
  encode,
  errorCodeOf,
  lengthInStream,
  longTermKey,
  type Message,
  type Method,
  methods,
  newTransactionId,
  uint32,
  xorAddress,
} from './turn-messages.ts';

/** A way to the TURN server. */
export type TurnLink = {
  send(bytes: Buffer): void;
  onMessage(hear: (bytes: Buffer) => void): void;
  close(): void;
};

export type TurnCredentials = { readonly username: string; readonly credential: string };

/** How long an answer is waited for; the network of the tests loses nothing. */
const answerMs = 5000;

export const udpLink = (socket: FarUdp, server: Address): TurnLink => ({
  send: (bytes) => socket.send(bytes, server),
  onMessage: (hear) => socket.onPacket(({ data }) => hear(data)),
  close: () => socket.close(),
});

/** Over TCP and TLS messages follow each other without a gap (RFC 8656 section 3.1). */
export const streamLink = (stream: Duplex): TurnLink => ({
  send: (bytes) => stream.write(bytes),
  onMessage: (hear) => {
    let waiting: Buffer = Buffer.alloc(0);
    stream.on('data', (data: Buffer) => {
      waiting = Buffer.concat([waiting, data]);
      for (;;) {
        const length = lengthInStream(waiting);
        if (length === undefined || waiting.length < length) return;
        hear(waiting.subarray(0, length));
        waiting = waiting.subarray(length);
      }
    });
  },
  close: () => stream.destroy(),
});

/** What a request came to: 200 for success, which STUN has no number for, or the code of the error (RFC 8489 section 14.8). */
export type TurnAnswer = { readonly code: number; readonly message: Message };

/** A client of TURN that asks for exactly what it is told to ask for (RFC 8656). */
export class TurnClient {
  /** What it says who it is by; may be changed between two requests. */
  credentials: TurnCredentials | undefined;
  /** The relayed address, once it has one. */
  relayed: Address | undefined;
  /** What came from peers. */
  readonly heard: Packet[] = [];
  readonly #link: TurnLink;
  readonly #waiting = new Map<string, (message: Message) => void>();
  #realm = '';
  #nonce: Buffer = Buffer.alloc(0);

  constructor(link: TurnLink, credentials?: TurnCredentials) {
    this.#link = link;
    this.credentials = credentials;
    link.onMessage((bytes) => this.#hear(bytes));
  }

  /** Asks for a relayed address of that family, over that protocol (IANA's number: 17 is UDP, 6 is TCP). */
  async allocate({ family = 4, protocol = 17 }: { family?: 4 | 6; protocol?: 6 | 17 } = {}): Promise<TurnAnswer> {
    const wanted: Attribute[] = [
      [attributes.requestedTransport, Buffer.from([protocol, 0, 0, 0])],
      [attributes.requestedAddressFamily, Buffer.from([family === 4 ? 1 : 2, 0, 0, 0])],
    ];
    const answer = await this.request(methods.allocate, wanted);
    const relayed = attributeOf(answer.message, attributes.xorRelayedAddress);
    if (relayed) this.relayed = addressFrom(relayed, answer.message.transactionId);
    return answer;
  }

  /** Ends the allocation. */
  release(): Promise<TurnAnswer> {
    return this.request(methods.refresh, [[attributes.lifetime, uint32(0)]]);
  }

  createPermission(...peers: readonly string[]): Promise<TurnAnswer> {
    return this.request(methods.createPermission, (id) =>
      peers.map((address) => [attributes.xorPeerAddress, xorAddress({ address, port: 0 }, id)]),
    );
  }

  /** Channels have the numbers from 0x4000 to 0x4fff. */
  bindChannel(channel: number, peer: Address): Promise<TurnAnswer> {
    return this.request(methods.channelBind, (id) => [
      [attributes.channelNumber, Buffer.from([channel >> 8, channel & 0xff, 0, 0])],
      [attributes.xorPeerAddress, xorAddress(peer, id)],
    ]);
  }

  /** Has these bytes sent to the peer. There is no answer, whatever becomes of it. */
  sendTo(peer: Address, data: string): void {
    const transactionId = newTransactionId();
    const sent: Attribute[] = [
      [attributes.xorPeerAddress, xorAddress(peer, transactionId)],
      [attributes.data, Buffer.from(data)],
    ];
    this.#link.send(encode({ method: methods.send, class: classes.indication, transactionId, attributes: sent }));
  }

  /** Asks, and where the server wants to know who asks or has a new nonce, asks once more (RFC 8489 section 9.2.5). */
  async request(method: Method, wanted: Attributes): Promise<TurnAnswer> {
    const first = await this.#ask(method, wanted);
    const isNews = first.code === 438 || (first.code === 401 && this.#realm === '');
    this.#realm = attributeOf(first.message, attributes.realm)?.toString() ?? this.#realm;
    this.#nonce = attributeOf(first.message, attributes.nonce) ?? this.#nonce;
    return isNews && this.credentials ? this.#ask(method, wanted) : first;
  }

  close(): void {
    this.#link.close();
  }

  async #ask(method: Method, wanted: Attributes): Promise<TurnAnswer> {
    const transactionId = newTransactionId();
    const asked = typeof wanted === 'function' ? wanted(transactionId) : wanted;
    const request = { method, class: classes.request, transactionId };
    const answered = new Promise<Message>((resolve, reject) => {
      const id = transactionId.toString('hex');
      const timer = setTimeout(() => reject(new Error(`no answer to method ${method}`)), answerMs);
      this.#waiting.set(id, (message) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(message);
      });
    });
    if (this.credentials && this.#realm !== '') {
      const { username, credential } = this.credentials;
      const who: Attribute[] = [
        [attributes.username, Buffer.from(username)],
        [attributes.realm, Buffer.from(this.#realm)],
        [attributes.nonce, this.#nonce],
      ];
      const key = longTermKey(username, this.#realm, credential);
      this.#link.send(encode({ ...request, attributes: [...asked, ...who] }, key));
    } else this.#link.send(encode({ ...request, attributes: asked }));
    const message = await answered;
    return { code: message.class === classes.success ? 200 : (errorCodeOf(message) ?? 0), message };
  }

  #hear(bytes: Buffer): void {
    const message = decode(bytes);
    this.#waiting.get(message.transactionId.toString('hex'))?.(message);
    const from = attributeOf(message, attributes.xorPeerAddress);
    const data = attributeOf(message, attributes.data);
    if (message.method === methods.data && from && data)
      this.heard.push({ data, from: addressFrom(from, message.transactionId) });
  }
}

type Attributes = readonly Attribute[] | ((transactionId: Buffer) => readonly Attribute[]);
