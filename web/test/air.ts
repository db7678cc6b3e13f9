import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { PeerConnection } from './wrtc.ts';

/**
 * The network between browsers: every candidate of the other side is reached through a relay of UDP packets here, which can be
 * cut. To a peer connection the other side is at the relay's address.
 */
export class Air {
  readonly #relays = new Map<string, Promise<Relay>>();
  /** `cut`: nothing passes. `unreachable`: no candidate is ever heard of. */
  state: 'whole' | 'cut' | 'unreachable' = 'whole';
  /** Bytes that passed. */
  passed = 0;

  /** A real peer connection that reaches the other side through this air alone. */
  readonly createPeer = (configuration: RTCConfiguration): RTCPeerConnection => {
    const peer = new PeerConnection(configuration as never) as unknown as RTCPeerConnection;
    const add = peer.addIceCandidate.bind(peer);
    const setDescription = peer.setRemoteDescription.bind(peer);
    peer.addIceCandidate = async (candidate) => {
      const rerouted = await this.#reroute(candidate?.candidate ?? '');
      if (rerouted !== undefined) await add({ ...candidate, candidate: rerouted });
    };
    // What is told with the description comes without candidates: those are told again one by one.
    peer.setRemoteDescription = (description) =>
      setDescription({
        ...description,
        sdp: (description.sdp ?? '').replace(/^a=(candidate:|end-of-candidates).*\r?\n/gm, ''),
      });
    return peer;
  };

  close(): void {
    for (const relay of this.#relays.values()) void relay.then((opened) => opened.close());
    this.#relays.clear();
  }

  async #reroute(candidate: string): Promise<string | undefined> {
    const [, head, address = '', port = '', tail] =
      /^(candidate:\S+ \d udp \d+) (\S+) (\d+) (.*)$/i.exec(candidate) ?? [];
    if (head === undefined || !isIPv4(address) || this.state === 'unreachable') return undefined;
    const key = `${address}:${port}`;
    const relay = this.#relays.get(key) ?? Relay.open(this, address, Number(port));
    this.#relays.set(key, relay);
    return `${head} 127.0.0.1 ${(await relay).port} ${tail}`;
  }
}

/** Stands for one address of the other side: what comes here goes there, and what comes back from there goes back. */
class Relay {
  readonly #air: Air;
  readonly #front: Socket;
  readonly #backs = new Map<string, Socket>();
  readonly #address: string;
  readonly #port: number;

  private constructor(air: Air, front: Socket, address: string, port: number) {
    this.#air = air;
    this.#front = front;
    this.#address = address;
    this.#port = port;
    front.on('message', (bytes, from) => this.#forth(bytes, from.address, from.port));
  }

  static async open(air: Air, address: string, port: number): Promise<Relay> {
    return new Relay(air, await bound('127.0.0.1'), address, port);
  }

  get port(): number {
    return this.#front.address().port;
  }

  close(): void {
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }

  #forth(bytes: Buffer, address: string, port: number): void {
    const key = `${address}:${port}`;
    const known = this.#backs.get(key);
    if (known !== undefined) {
      this.#pass(known, bytes, this.#address, this.#port);
      return;
    }
    const back = createSocket('udp4');
    this.#backs.set(key, back);
    back.on('message', (answer) => this.#pass(this.#front, answer, address, port));
    back.on('error', () => undefined);
    back.bind(0, () => this.#pass(back, bytes, this.#address, this.#port));
  }

  #pass(socket: Socket, bytes: Buffer, address: string, port: number): void {
    if (this.#air.state !== 'whole') return;
    this.#air.passed += bytes.length;
    socket.send(bytes, port, address);
  }
}

const bound = async (address: string): Promise<Socket> => {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.bind(0, address, resolve);
  });
  return socket;
};
