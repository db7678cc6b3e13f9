import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { ClientDtlsParameters, TransportOffer } from '@rostrum/shared/protocol/media.ts';
import { type Certificate, createCertificate } from './certificate.ts';
import { DtlsClient, type SrtpMaterial } from './dtls-client.ts';
import { answersCheck, type IceCredentials, iceCheck } from './stun.ts';

/** Browsers repeat a check that is not answered, and renew their consent, about this often, in milliseconds. */
const checkResendMs = 250;
const mostCheckResends = 40;
const consentMs = 4000;

/** One for all peers of this process: what the server does with it is the same. */
let certificate: Certificate | undefined;

/** How the peer tells the server its DTLS parameters; rejects when the server refuses. */
export type TellServer = (dtlsParameters: ClientDtlsParameters) => Promise<void>;

/**
 * A client's end of a WebRtcTransport that costs next to nothing: real ICE, DTLS and consent on the wire, and of the SRTP
 * packets that arrive it only counts how many. So one core takes tens of thousands of packets a second, where libwebrtc
 * fills it with some thousands.
 */
export class LightPeer {
  readonly #offer: TransportOffer;
  readonly #address: { readonly host: string; readonly port: number };
  readonly #credentials: IceCredentials;
  readonly #socket: Socket = createSocket('udp4');
  readonly #heard = Promise.withResolvers<number>();
  #dtls: DtlsClient | undefined;
  #checked: { transaction: Buffer; answered: () => void } | undefined;
  #consentTimer: NodeJS.Timeout | undefined;
  #closed = false;
  /** SRTP packets that arrived. */
  packets = 0;

  constructor(offer: TransportOffer) {
    this.#offer = offer;
    this.#address = udpAddress(offer);
    const { usernameFragment, password } = offer.iceParameters as { usernameFragment: string; password: string };
    this.#credentials = { usernameFragment, password, ownUsernameFragment: randomBytes(3).toString('hex') };
    // Whoever waits for it sees the rejection.
    this.#heard.promise.catch(() => undefined);
  }

  get transportId(): string {
    return this.#offer.transportId;
  }

  /** When the first SRTP packet came, by `performance.now()`. Rejects when the peer is closed before. */
  get firstPacketAt(): Promise<number> {
    return this.#heard.promise;
  }

  /** In the order of a browser: tells the server, then ICE, then DTLS. Resolves with the keys for what this side sends. */
  async connect(tellServer: TellServer): Promise<SrtpMaterial> {
    certificate ??= createCertificate();
    const dtls = new DtlsClient(certificate, (datagram) => this.send(datagram));
    this.#dtls = dtls;
    await tellServer({ role: 'client', fingerprints: [{ algorithm: 'sha-256', value: certificate.fingerprint }] });
    await this.#bind();
    await this.#check();
    const material = await dtls.handshake();
    this.#consentTimer = setInterval(() => this.send(iceCheck(this.#credentials).request), consentMs);
    return material;
  }

  send(datagram: Buffer): void {
    // A datagram that the system refuses is a lost one; the counts tell.
    if (!this.#closed) this.#socket.send(datagram, () => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#consentTimer);
    this.#dtls?.close();
    this.#heard.reject(new Error('closed before anything was heard'));
    this.#socket.close();
  }

  async #bind(): Promise<void> {
    const { host, port } = this.#address;
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind(0, host, () => this.#socket.connect(port, host, () => resolve()));
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (datagram) => this.#receive(datagram));
  }

  /** Asks until it is answered, as mediasoup drops what comes before it is ready. */
  async #check(): Promise<void> {
    const { transaction, request } = iceCheck(this.#credentials);
    const answered = new Promise<void>((resolve) => {
      this.#checked = { transaction, answered: resolve };
    });
    let resends = 0;
    this.send(request);
    const unanswered = new Promise<never>((_, reject) => {
      this.#consentTimer = setInterval(() => {
        resends += 1;
        if (resends > mostCheckResends) reject(new Error('the server does not answer over ICE'));
        else this.send(request);
      }, checkResendMs);
    });
    try {
      await Promise.race([answered, unanswered]);
    } finally {
      clearInterval(this.#consentTimer);
    }
  }

  #receive(datagram: Buffer): void {
    const first = datagram[0] ?? 0;
    // RFC 7983 section 7 tells the protocols apart by the first byte, RFC 5761 section 4 RTCP from RTP by the second.
    if (first >= 128 && first < 192) {
      const second = datagram[1] ?? 0;
      if (second >= 192 && second < 224) return;
      this.packets += 1;
      if (this.packets === 1) this.#heard.resolve(performance.now());
    } else if (first >= 20 && first < 64) {
      this.#dtls?.receive(datagram);
    } else if (this.#checked !== undefined && answersCheck(datagram, this.#checked.transaction)) {
      this.#checked.answered();
    }
  }
}

/** Where the server takes UDP. Nowhere but on this machine: a benchmark is no load for anybody else's. */
const udpAddress = ({ iceCandidates }: TransportOffer): { host: string; port: number } => {
  for (const candidate of iceCandidates) {
    const { protocol, address, port } = candidate;
    if (protocol === 'udp' && address === '127.0.0.1' && typeof port === 'number') return { host: address, port };
  }
  throw new Error('the server has no UDP candidate at 127.0.0.1');
};
