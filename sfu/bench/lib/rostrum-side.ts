import { setTimeout as pause } from 'node:timers/promises';
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
import { Attendee } from './attendee.ts';
import { lostDatagrams } from './lost-datagrams.ts';
import type { Measured } from './measured.ts';
import { startRostrumProcess } from './rostrum-process.ts';
import type { HallSide, Seat, Voices } from './side.ts';

/** Longest that the server may take to answer a command or to take a socket, in milliseconds. */
const answerMs = 60_000;

export type RostrumSide = HallSide & {
  readonly url: string;
  readonly roomId: string;
  /** Somebody who is signed in and not connected. */
  guest(): Promise<Guest>;
};

/** How many people of each kind there will be in a room. */
type RoomSize = { readonly speakers: number; readonly listeners: number };

/** A whole Rostrum server with one room, whose host is the first speaker. */
export const startRostrum = async (
  room: RoomSize,
  { name = 'Rostrum', more = {} }: { readonly name?: string; readonly more?: Readonly<Record<string, string>> } = {},
): Promise<RostrumSide> => {
  const server = await startRostrumProcess(more);
  try {
    const { url, mediaPort } = server;
    const host = await Guest.signIn(url);
    const roomId = await openRoom(host, room);
    let speaker: Guest | undefined = host;
    const newcomer = async (as: 'speaker' | 'listener'): Promise<Guest> => {
      const guest = (as === 'speaker' ? speaker : undefined) ?? (await Guest.signIn(url));
      if (as === 'speaker') speaker = undefined;
      await guest.connect();
      await guest.join(roomId, { listen: as === 'listener' });
      return guest;
    };
    const attendees = new Set<Attendee>();
    const failures: unknown[] = [];
    return {
      ...server,
      name,
      roomId,
      letIn: async (connect) => {
        const pass = await signIn(url);
        const failed = (error: unknown) => failures.push(error);
        const attendee = new Attendee({ url, pass, roomId, connect, failed });
        await attendee.enter();
        attendees.add(attendee);
      },
      settled: async () => {
        await untilCalm(server);
        await Promise.all([...attendees].map((attendee) => attendee.settled()));
        if (failures.length > 0) throw failures[0];
      },
      guest: () => Guest.signIn(url),
      seat: newcomer,
      lostDatagrams: () => lostDatagrams(mediaPort),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
};

/** How long a server may take to move people, how long nothing changes when it is done, and how often to look, in milliseconds. */
const calm = { withinMs: 60_000, forMs: 1500, lookMs: 300 };

/** Resolves when nothing has come or gone for a while: a server that moves people spreads it over some time. */
const untilCalm = async (server: Measured): Promise<void> => {
  const begun = performance.now();
  let since = begun;
  for (let last = ''; performance.now() - since < calm.forMs; ) {
    const counts = JSON.stringify(await server.counts());
    if (counts !== last) since = performance.now();
    last = counts;
    if (performance.now() - begun > calm.withinMs) throw new Error('the server does not come to rest');
    await pause(calm.lookMs);
  }
};

/** A room of this host. Whoever joins first speaks, until the stage is full; the host has a place of their own. */
export const openRoom = async (host: Guest, { speakers, listeners }: RoomSize): Promise<string> => {
  const { roomId } = await host.request<RoomInfo>('/api/rooms', {
    title: 'Benchmark',
    maxParticipants: Math.min(10_000, speakers + listeners + 1),
    maxSpeakers: Math.max(1, speakers - 1),
    permissions: { anyoneCanSpeak: speakers > 1 },
  } satisfies CreateRoom);
  return roomId;
};

let addresses = 0;

/** An address that nobody else here has, from a block for benchmarks (RFC 2544). */
const newAddress = (): string => {
  addresses += 1;
  return `198.${18 + ((addresses >> 16) & 1)}.${(addresses >> 8) & 255}.${addresses & 255}`;
};

/** What somebody shows at the door. */
export type Pass = { readonly address: string; readonly token: string };

/** Signs a new guest in. */
export const signIn = async (url: string): Promise<Pass> => {
  const address = newAddress();
  const body = { displayName: `Guest ${address}` };
  const { token } = await post<SignedIn>(`${url}/api/auth/guest`, body, { 'x-forwarded-for': address });
  return { address, token };
};

/** Somebody who uses the server as the web client does: signed in over HTTP, then over one WebSocket. */
export class Guest implements Seat {
  readonly #url: string;
  readonly #address: string;
  readonly #token: string;
  #socket: Socket<ServerToClientEvents, ClientToServerEvents> | undefined;
  #roomId = '';
  #listening: Voices | null = null;

  static async signIn(url: string): Promise<Guest> {
    return new Guest(url, await signIn(url));
  }

  private constructor(url: string, { address, token }: Pass) {
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

  /** Takes a seat; whoever wants to listen is told the voices in the same answer, and `listen` has them. */
  async join(roomId: string, { listen = false }: { readonly listen?: boolean } = {}): Promise<void> {
    this.#roomId = roomId;
    const { listening } = await this.#do('room:join', { roomId, listen });
    this.#listening = listening;
  }

  publish(): Promise<CommandOutput<'media:publish'>> {
    return this.#do('media:publish', { roomId: this.#roomId });
  }

  async produce(transportId: string, rtpParameters: MicrophoneRtpParameters): Promise<void> {
    await this.#do('media:produce', { roomId: this.#roomId, transportId, rtpParameters });
  }

  async listen(): Promise<Voices> {
    const listening = this.#listening ?? (await this.#do('media:listen', { roomId: this.#roomId }));
    this.#listening = null;
    return listening;
  }

  async connectTransport(transportId: string, dtlsParameters: ClientDtlsParameters): Promise<void> {
    await this.#do('media:connect', { roomId: this.#roomId, transportId, dtlsParameters });
  }

  async mute(muted: boolean): Promise<void> {
    await this.#do('room:mute-toggle', { roomId: this.#roomId, muted });
  }

  /** Gives up the seat, and stays connected. */
  async leaveRoom(): Promise<void> {
    await this.#do('room:leave', { roomId: this.#roomId });
  }

  async leave(): Promise<void> {
    try {
      if (this.#socket?.connected) await this.leaveRoom();
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
