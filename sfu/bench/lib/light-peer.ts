import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import { type Certificate, createCertificate } from './certificate.ts';
import { DtlsClient, type SrtpMaterial } from './dtls-client.ts';
import { loopback, type MediaAddresses, type UdpAddress } from './media-addresses.ts';
import { answersCheck, type IceCredentials, iceCheck } from './stun.ts';

/** Browsers repeat a check that is not answered, and renew their consent, about this often, in milliseconds. */
const checkResendMs = 250;
const mostCheckResends = 40;
const consentMs = 4000;

/** One for all peers of this process: what the server does with it is the same. */
let certificate: Certificate | undefined;

/** How the peer tells the server its DTLS parameters; rejects when the server refuses. */
export type TellServer = (dtlsParameters: ClientDtlsParameters) => Promise<void>;

export type LightPeerOptions = {
  /** Where media may be sent; on this machine alone when left out. */
  readonly addresses?: MediaAddresses;
  /** Is called with each SRTP packet that arrives, as it came. */
  readonly received?: (packet: Buffer) => void;
};

/**
 * A client's end of a WebRtcTransport that costs next to nothing: real ICE, DTLS and consent on the wire, and of the SRTP
 * packets that arrive it only counts how many. So one core takes tens of thousands of packets a second, where libwebrtc
 * fills it with some thousands.
 */
export class LightPeer {
  readonly #offer: TransportOffer;
  readonly #address: UdpAddress;
  readonly #credentials: IceCredentials;
  readonly #socket: Socket;
  readonly #received: ((packet: Buffer) => void) | undefined;
  readonly #heard = Promise.withResolvers<number>();
  #dtls: DtlsClient | undefined;
  #checked: { transaction: Buffer; answered: () => void; failed: (reason: Error) => void } | undefined;
  #consentTimer: NodeJS.Timeout | undefined;
  #port: number | undefined;
  #closed = false;
  /** SRTP packets that arrived. */
  packets = 0;
  /** RTCP packets that did. */
  reports = 0;

  /** @throws ForeignAddress when the server takes media where it may not be sent */
  constructor(offer: TransportOffer, { addresses = loopback, received }: LightPeerOptions = {}) {
    this.#offer = offer;
    this.#address = addresses.udp(offer);
    this.#socket = createSocket(isIPv6(this.#address.host) ? 'udp6' : 'udp4');
    this.#received = received;
    const { usernameFragment, password } = offer.iceParameters as { usernameFragment: string; password: string };
    this.#credentials = { usernameFragment, password, ownUsernameFragment: randomBytes(3).toString('hex') };
    // Whoever waits for it sees the rejection.
    this.#heard.promise.catch(() => undefined);
  }

  get transportId(): string {
    return this.#offer.transportId;
  }

  /** Of this end, once it is connected. */
  get localPort(): number | undefined {
    return this.#port;
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
    this.#refuseClosed();
    this.#consentTimer = setInterval(() => this.send(iceCheck(this.#credentials).request), consentMs);
    return material;
  }

  /** From now on the system keeps next to nothing of what comes, and counts what it throws away: see `sink-process.ts`. */
  keepNothing(): void {
    this.#socket.setRecvBufferSize(1);
  }

  send(datagram: Buffer): void {
    // A datagram that the system refuses is a lost one; the counts tell.
    if (!this.#closed) this.#socket.send(datagram, () => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#consentTimer);
    this.#checked?.failed(new Error('closed before the server answered over ICE'));
    this.#dtls?.close();
    this.#heard.reject(new Error('closed before anything was heard'));
    this.#socket.close();
  }

  async #bind(): Promise<void> {
    const { host, port } = this.#address;
    this.#refuseClosed();
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.once('close', () => reject(new Error('closed before it was connected')));
      this.#socket.once('connect', resolve);
      this.#socket.connect(port, host);
    });
    this.#port = this.#socket.address().port;
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (datagram) => this.#receive(datagram));
  }

  /** Asks until it is answered, as mediasoup drops what comes before it is ready. */
  async #check(): Promise<void> {
    this.#refuseClosed();
    const { transaction, request } = iceCheck(this.#credentials);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#checked = { transaction, answered: resolve, failed: reject };
    let resends = 0;
    this.send(request);
    this.#consentTimer = setInterval(() => {
      resends += 1;
      if (resends > mostCheckResends) reject(new Error('the server does not answer over ICE'));
      else this.send(request);
    }, checkResendMs);
    try {
      await promise;
    } finally {
      clearInterval(this.#consentTimer);
    }
    this.#refuseClosed();
  }

  #refuseClosed(): void {
    if (this.#closed) throw new Error('closed before it was connected');
  }

  #receive(datagram: Buffer): void {
    const first = datagram[0] ?? 0;
    // RFC 7983 section 7 tells the protocols apart by the first byte, RFC 5761 section 4 RTCP from RTP by the second.
    if (first >= 128 && first < 192) {
      const second = datagram[1] ?? 0;
      if (second >= 192 && second < 224) {
        this.reports += 1;
        return;
      }
      this.packets += 1;
      if (this.packets === 1) this.#heard.resolve(performance.now());
      this.#received?.(datagram);
    } else if (first >= 20 && first < 64) {
      this.#dtls?.receive(datagram);
    } else if (this.#checked !== undefined && answersCheck(datagram, this.#checked.transaction)) {
      this.#checked.answered();
    }
  }
}
