import { once } from 'node:events';
import { request as requestPlainly } from 'node:http';
import { request as requestByTls } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Ack } from '@rostrum/shared/protocol/common.ts';
import {
  type CommandInput,
  type CommandName,
  type CommandOutput,
  protocolVersion,
} from '@rostrum/shared/protocol/index.ts';
import { monotonicMs } from './arrivals.ts';
import { clientFrame, clientPong, FrameReader, opcodes } from './frames.ts';
import { Refused } from './refused.ts';

/** What somebody shows at the door. `address` is said to be theirs, to a server that believes it (`TRUSTED_PROXIES`). */
type Pass = { readonly token: string; readonly address?: string | undefined };

/** Longest that a server may take to answer where nothing else is said, in milliseconds. */
const longestAnswerMs = 60_000;
/** What engine.io and Socket.IO put before each packet (their protocols, versions 4 and 5). */
const packets = { ping: '2', pong: '3', connect: '40', refused: '44', event: '42', ack: '43' } as const;

export type Heard = (payload: Buffer, at: number) => void;

export type LightSocketOptions = {
  /** The session that this connection continues. */
  readonly sessionId?: string;
  /** Longest that the server may take to answer, in milliseconds. */
  readonly answerMs?: number;
  /** The connection ended, and not by `close`. */
  readonly lost?: () => void;
};

type Waiting = { readonly resolve: (answer: string) => void; readonly reject: (error: Error) => void };

/**
 * A socket of Socket.IO that does just what a benchmark of many needs: it opens a WebSocket, says who it is, gives a command and
 * waits for the answer, answers pings, and hands on every event as it came. A client that reads each event as JSON costs more
 * than the server that sent it.
 */
export class LightSocket {
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #heard: Heard;
  readonly #answerMs: number;
  readonly #waiting = new Map<string, Waiting>();
  #commands = 0;
  #closed = false;

  /** Resolves when the server says that it is ready. `heard` is called with each event, and when the bytes came. @throws Refused, Error */
  static async open(url: string, pass: Pass, heard: Heard, options: LightSocketOptions = {}): Promise<LightSocket> {
    const { answerMs = longestAnswerMs, sessionId, lost } = options;
    const { socket, head } = await upgrade(url, pass, answerMs);
    const ready = Promise.withResolvers<string>();
    const light = new LightSocket(socket, answerMs, (payload, at) => {
      if (payload.includes('"session:ready"')) ready.resolve('');
      heard(payload, at);
    });
    light.#waiting.set(packets.refused, { resolve: (why) => ready.reject(refusalIn(why)), reject: ready.reject });
    const patience = setTimeout(() => ready.reject(new Refused('a socket', 'no_answer')), answerMs);
    try {
      light.#take(head);
      light.#send(packets.connect + JSON.stringify({ token: pass.token, protocol: protocolVersion, sessionId }));
      await ready.promise;
    } catch (error) {
      light.close();
      throw error;
    } finally {
      clearTimeout(patience);
    }
    light.#waiting.delete(packets.refused);
    if (lost) socket.once('close', () => light.#closed || lost());
    return light;
  }

  private constructor(socket: Socket, answerMs: number, heard: Heard) {
    this.#socket = socket;
    this.#answerMs = answerMs;
    this.#heard = heard;
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('error', () => socket.destroy());
    // Whoever waits for something learns that nothing comes.
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Refused('a command', 'socket_closed'));
      this.#waiting.clear();
    });
  }

  /** Gives a command. @throws Refused where the server refuses, or does not answer in time */
  async ask<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>> {
    if (this.#socket.destroyed) throw new Refused(name, 'socket_closed');
    const number = `${this.#commands}`;
    this.#commands += 1;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const patience = setTimeout(() => reject(new Refused(name, 'no_answer')), this.#answerMs);
    this.#waiting.set(packets.ack + number, { resolve, reject });
    this.#send(packets.event + number + JSON.stringify([name, input]));
    try {
      // What our own server answers with.
      const [ack] = JSON.parse(await promise) as [Ack<CommandOutput<Name>>];
      if (!ack.ok) throw new Refused(name, ack.error.code, ack.error.retryAfterMs);
      return ack.data;
    } finally {
      clearTimeout(patience);
      this.#waiting.delete(packets.ack + number);
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    const at = monotonicMs();
    for (const { opcode, payload } of this.#frames.take(piece)) {
      if (opcode === opcodes.close) this.#socket.destroy();
      else if (opcode === opcodes.ping) this.#socket.write(clientPong(payload));
      else if (opcode === opcodes.text) this.#read(payload, at);
    }
  }

  #read(payload: Buffer, at: number): void {
    const kind = payload.toString('latin1', 0, 2);
    if (kind === packets.event) this.#heard(payload, at);
    else if (kind.startsWith(packets.ping)) this.#send(packets.pong);
    else if (kind === packets.ack || kind === packets.refused) this.#answer(payload.toString());
  }

  #answer(text: string): void {
    const start = text.search(/[[{]/);
    this.#waiting.get(text.slice(0, start))?.resolve(text.slice(start));
  }

  #send(text: string): void {
    this.#socket.write(clientFrame(text));
  }
}

/** What Socket.IO tells of a handshake that is refused. */
const refusalIn = (text: string): Refused => {
  const { message, data } = JSON.parse(text) as { message?: string; data?: { code?: string } };
  return new Refused('a socket', data?.code ?? message ?? 'unknown');
};

/** A WebSocket (RFC 6455 section 4.1) straight to Socket.IO. */
const upgrade = (url: string, { address }: Pass, timeout: number): Promise<{ socket: Socket; head: Buffer }> =>
  new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? requestByTls : requestPlainly;
    const asked = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
      // Each has a connection of its own.
      agent: false,
      timeout,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        ...(address === undefined ? {} : { 'x-forwarded-for': address }),
      },
    });
    asked.once('upgrade', (_, socket, head) => {
      socket.setTimeout(0);
      resolve({ socket: socket.setNoDelay(true), head });
    });
    asked.once('response', (response) => {
      response.destroy();
      reject(new Refused('a WebSocket', `http_${response.statusCode}`));
    });
    asked.once('timeout', () => asked.destroy(new Refused('a WebSocket', 'no_answer')));
    asked.once('error', reject);
    asked.end();
  });

/** A socket to a server that sends frames and nothing else. */
export const openBareSocket = async (port: number, heard: Heard): Promise<{ close(): void }> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const frames = new FrameReader();
  socket.on('data', (piece: Buffer) => {
    const at = monotonicMs();
    for (const { payload } of frames.take(piece)) heard(payload, at);
  });
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return { close: () => socket.destroy() };
};
