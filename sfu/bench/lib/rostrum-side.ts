import type { Ack } from '@rostrum/shared/protocol/common.ts';
import {
  type ClientToServerEvents,
  type CommandInput,
  type CommandName,
  type CommandOutput,
  protocolVersion,
  type ServerToClientEvents,
} from '@rostrum/shared/protocol/index.ts';
import type { ClientDtlsParameters, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import type { CreateRoom, RoomInfo } from '@rostrum/shared/protocol/room.ts';
import { io, type Socket } from 'socket.io-client';
import { freePort } from '../../test/support/free-port.ts';
import { Child } from './child.ts';
import { lostDatagrams } from './lost-datagrams.ts';
import type { Seat, Side, Voices } from './side.ts';

/** Longest that the server may take to answer a command or to take a socket, in milliseconds. */
const answerMs = 60_000;

/** One machine is everybody here, so nothing that limits one person, one address or one worker may limit the benchmark. */
const environment = {
  PORT: '0',
  HOST: '127.0.0.1',
  MEDIA_ADDRESS: '127.0.0.1',
  WORKERS: '1',
  LOG_LEVEL: 'warn',
  TRUSTED_PROXIES: '127.0.0.1',
  LIMIT_COMMANDS_PER_SECOND: '100000',
  LIMIT_COMMAND_BURST: '100000',
  LIMIT_ADDRESS_COMMANDS_PER_SECOND: '10000000',
  LIMIT_HTTP_REQUESTS_PER_MINUTE: '10000000',
  LIMIT_JOINS_PER_MINUTE: '10000',
  LIMIT_STREAMS_PER_WORKER: '100000',
} as const;

export type RostrumSide = Side & {
  readonly roomId: string;
  /** Somebody who is signed in and not connected. */
  guest(): Promise<Guest>;
};

/** A whole Rostrum server with one room, whose host is the first speaker. */
export const startRostrum = async (room: {
  readonly speakers: number;
  readonly listeners: number;
}): Promise<RostrumSide> => {
  const mediaPort = await freePort();
  const [child, { port }] = await Child.start<{ port: number }>(new URL('./rostrum-server.ts', import.meta.url), {
    ...environment,
    MEDIA_PORT: String(mediaPort),
  });
  try {
    const url = `http://127.0.0.1:${port}`;
    const host = await Guest.signIn(url);
    // Whoever joins first speaks, until the stage is full; the host has a place of their own.
    const { roomId } = await host.request<RoomInfo>('/api/rooms', {
      title: 'Benchmark',
      maxParticipants: Math.min(10_000, room.speakers + room.listeners + 1),
      maxSpeakers: Math.max(1, room.speakers - 1),
      permissions: { anyoneCanSpeak: room.speakers > 1 },
    } satisfies CreateRoom);
    let speaker: Guest | undefined = host;
    const newcomer = async (as: 'speaker' | 'listener'): Promise<Guest> => {
      const guest = (as === 'speaker' ? speaker : undefined) ?? (await Guest.signIn(url));
      if (as === 'speaker') speaker = undefined;
      await guest.connect();
      await guest.join(roomId);
      return guest;
    };
    return {
      name: 'Rostrum',
      roomId,
      guest: () => Guest.signIn(url),
      seat: newcomer,
      usage: () => child.call('usage'),
      packetsSent: () => child.call('packetsSent'),
      lostDatagrams: () => lostDatagrams(mediaPort),
      transports: () => child.call('transports'),
      close: () => child.close(),
    };
  } catch (error) {
    await child.close();
    throw error;
  }
};

let addresses = 0;

/** An address that nobody else here has, from a block for benchmarks (RFC 2544). */
const newAddress = (): string => {
  addresses += 1;
  return `198.${18 + ((addresses >> 16) & 1)}.${(addresses >> 8) & 255}.${addresses & 255}`;
};

/** Somebody who uses the server as the web client does: signed in over HTTP, then over one WebSocket. */
export class Guest implements Seat {
  readonly #url: string;
  readonly #address: string;
  readonly #token: string;
  #socket: Socket<ServerToClientEvents, ClientToServerEvents> | undefined;
  #roomId = '';

  static async signIn(url: string): Promise<Guest> {
    const address = newAddress();
    const body = { displayName: `Guest ${address}` };
    const { token } = await post<SignedIn>(`${url}/api/auth/guest`, body, { 'x-forwarded-for': address });
    return new Guest(url, address, token);
  }

  private constructor(url: string, address: string, token: string) {
    this.#url = url;
    this.#address = address;
    this.#token = token;
  }

  request<Output>(path: string, body: object): Promise<Output> {
    const headers = { 'x-forwarded-for': this.#address, authorization: `Bearer ${this.#token}` };
    return post<Output>(this.#url + path, body, headers);
  }

  /** Opens the socket. Resolves when the server says that it is ready. */
  async connect(): Promise<void> {
    const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(this.#url, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: answerMs,
      auth: { token: this.#token, protocol: protocolVersion },
      extraHeaders: { 'x-forwarded-for': this.#address },
    });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('session:ready', () => resolve());
      socket.once('connect_error', reject);
      socket.once('disconnect', (reason) => reject(new Error(`the server closed a socket: ${reason}`)));
    });
  }

  async join(roomId: string): Promise<void> {
    this.#roomId = roomId;
    await this.#do('room:join', { roomId });
  }

  publish(): Promise<CommandOutput<'media:publish'>> {
    return this.#do('media:publish', { roomId: this.#roomId });
  }

  async produce(transportId: string, rtpParameters: MicrophoneRtpParameters): Promise<void> {
    await this.#do('media:produce', { roomId: this.#roomId, transportId, rtpParameters });
  }

  listen(): Promise<Voices> {
    return this.#do('media:listen', { roomId: this.#roomId });
  }

  async connectTransport(transportId: string, dtlsParameters: ClientDtlsParameters): Promise<void> {
    await this.#do('media:connect', { roomId: this.#roomId, transportId, dtlsParameters });
  }

  async leave(): Promise<void> {
    try {
      if (this.#socket?.connected) await this.#do('room:leave', { roomId: this.#roomId });
    } finally {
      this.#socket?.disconnect();
      this.#socket = undefined;
    }
  }

  async #do<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>> {
    if (this.#socket === undefined) throw new Error('not connected');
    // Socket.IO's types cannot tie the answer to a name that is a parameter.
    const socket: { timeout(ms: number): { emitWithAck(name: string, input: unknown): Promise<unknown> } } =
      this.#socket;
    const ack = (await socket.timeout(answerMs).emitWithAck(name, input)) as Ack<CommandOutput<Name>>;
    if (!ack.ok) throw new Error(`${name} was refused: ${ack.error.code} ${ack.error.path ?? ''}`);
    return ack.data;
  }
}

const post = async <Output>(url: string, body: object, headers: Record<string, string>): Promise<Output> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerMs),
  });
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  return (await response.json()) as Output;
};
