import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Ack } from '@rostrum/shared/protocol/common.ts';
import { protocolVersion } from '@rostrum/shared/protocol/index.ts';
import { monotonicMs } from './arrivals.ts';
import { clientFrame, FrameReader, opcodes } from './frames.ts';
import type { Pass } from './rostrum-side.ts';

/** Longest that a server may take to answer, in milliseconds. */
const answerMs = 60_000;
/** What engine.io and Socket.IO put before each packet (their protocols, versions 4 and 5). */
const packets = { ping: '2', pong: '3', connect: '40', refused: '44', event: '42', ack: '43' } as const;

export type Heard = (payload: Buffer, at: number) => void;

/**
 * A socket of Socket.IO that does just what a benchmark of many needs: it opens a WebSocket, says who it is, gives a command and
 * waits for the answer, answers pings, and hands on every event as it came. A client that reads each event as JSON costs more
 * than the server that sent it.
 */
export class LightSocket {
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #heard: Heard;
  readonly #answers = new Map<string, (answer: string) => void>();
  #commands = 0;

  /** Resolves when the server says that it is ready. `heard` is called with each event, and when the bytes came. */
  static async open(url: string, pass: Pass, heard: Heard): Promise<LightSocket> {
    const { socket, head } = await upgrade(url, pass);
    const ready = Promise.withResolvers<void>();
    const light = new LightSocket(socket, (payload, at) => {
      if (payload.includes('"session:ready"')) ready.resolve();
      heard(payload, at);
    });
    light.#answers.set(packets.refused, (why) => ready.reject(new Error(`a socket was refused: ${why}`)));
    socket.once('close', () => ready.reject(new Error('the server closed a socket')));
    light.#take(head);
    light.#send(packets.connect + JSON.stringify({ token: pass.token, protocol: protocolVersion }));
    await ready.promise;
    return light;
  }

  private constructor(socket: Socket, heard: Heard) {
    this.#socket = socket;
    this.#heard = heard;
    socket.on('data', (piece: Buffer) => this.#take(piece));
    // Whoever waits for something learns that nothing comes.
    socket.on('error', () => socket.destroy());
  }

  /** Gives a command. Rejects where it is refused, or not answered in time. */
  async ask(name: string, input: object): Promise<void> {
    const number = `${this.#commands}`;
    this.#commands += 1;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const patience = setTimeout(() => reject(new Error(`${name} was not answered`)), answerMs);
    this.#answers.set(packets.ack + number, resolve);
    this.#send(packets.event + number + JSON.stringify([name, input]));
    try {
      // What our own server answers with.
      const [ack] = JSON.parse(await promise) as [Ack<unknown>];
      if (!ack.ok) throw new Error(`${name} was refused: ${ack.error.code}`);
    } finally {
      clearTimeout(patience);
      this.#answers.delete(packets.ack + number);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    const at = monotonicMs();
    for (const { opcode, payload } of this.#frames.take(piece)) {
      if (opcode === opcodes.close) this.#socket.destroy();
      else if (opcode === opcodes.text) this.#read(payload, at);
    }
  }

  #read(payload: Buffer, at: number): void {
    const kind = payload.toString('latin1', 0, 2);
    if (kind === packets.event) this.#heard(payload, at);
    else if (kind === packets.ping) this.#send(packets.pong);
    else if (kind === packets.ack || kind === packets.refused) this.#answer(payload.toString());
  }

  #answer(text: string): void {
    const start = text.search(/[[{]/);
    this.#answers.get(text.slice(0, start))?.(text.slice(start));
  }

  #send(text: string): void {
    this.#socket.write(clientFrame(text));
  }
}

/** A WebSocket (RFC 6455 section 4.1) straight to Socket.IO. */
const upgrade = (url: string, { address }: Pass): Promise<{ socket: Socket; head: Buffer }> =>
  new Promise((resolve, reject) => {
    const asked = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
      // Each has a connection of its own.
      agent: false,
      timeout: answerMs,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'x-forwarded-for': address,
      },
    });
    asked.once('upgrade', (_, socket, head) => {
      socket.setTimeout(0);
      resolve({ socket: socket.setNoDelay(true), head });
    });
    asked.once('response', ({ statusCode }) => reject(new Error(`a WebSocket was answered with ${statusCode}`)));
    asked.once('timeout', () => asked.destroy(new Error('a WebSocket was not answered')));
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
