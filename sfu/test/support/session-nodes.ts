import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server as NetServer, type Socket as NetSocket } from 'node:net';
import type { Ack } from '@rostrum/shared/protocol/common.ts';
import { type DefaultEventsMap, Server, type Socket } from 'socket.io';

type Answer = (ack: Ack<unknown>) => void;

/** A node that knows sessions and nothing else: it answers every command, and says what the test wants it to. */
export type SessionNode = {
  /** Who is connected, by the session that they came with; `new` for a first one. */
  readonly sessions: string[];
  readonly commands: string[];
  /** The room that was given as a hint with the last socket. */
  room: unknown;
  /** What the last socket said of whether its session was here before. */
  back: unknown;
  /** The code with which handshakes are refused. */
  refuses: string | undefined;
  /** How many handshakes it refused. */
  refused: number;
  /** Holds back what it would say: `session:ready`, and answers. */
  silent: boolean;
  say(name: string, payload: object): void;
  /** Answers what it held back. */
  answer(): void;
  /** Breaks every connection. */
  cut(): void;
};

export type SessionNodes = {
  readonly url: string;
  readonly nodes: readonly [SessionNode, SessionNode];
  /** New connections go to this node from now on, as a proxy in front would send them. */
  goTo(index: 0 | 1): void;
  close(): Promise<void>;
};

const sessionId = 'S'.repeat(22);
const userId = 'U'.repeat(22);

/** Two nodes and what stands in front of them. */
export const startSessionNodes = async (): Promise<SessionNodes> => {
  const [first, second] = await Promise.all([startNode(), startNode()]);
  let target = first.port;
  const ends = new Set<NetSocket>();
  const front = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const end of [near, far]) {
      ends.add(end);
      end.on('error', () => undefined).on('close', () => ends.delete(end));
    }
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(front)}`,
    nodes: [first.node, second.node],
    goTo: (index) => {
      target = index === 0 ? first.port : second.port;
    },
    close: async () => {
      for (const end of ends) end.destroy();
      await Promise.all([first.close(), second.close(), new Promise((resolve) => front.close(resolve))]);
    },
  };
};

const startNode = async () => {
  const http = createHttpServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const io = new Server(http);
  const held: (() => void)[] = [];
  const sockets = new Set<Socket>();
  const node: SessionNode = {
    sessions: [],
    commands: [],
    room: undefined,
    back: undefined,
    refuses: undefined,
    refused: 0,
    silent: false,
    say: (name, payload) => {
      for (const socket of sockets) socket.emit(name, payload);
    },
    answer: () => {
      for (const act of held.splice(0)) act();
    },
    cut: () => {
      for (const socket of sockets) socket.conn.close();
    },
  };
  const orHold = (act: () => void): void => {
    if (node.silent) held.push(act);
    else act();
  };
  io.use((socket, next) => {
    node.room = socket.handshake.query['room'];
    node.back = socket.handshake.query['back'];
    if (node.refuses === undefined) return next();
    node.refused += 1;
    return next(Object.assign(new Error('refused'), { data: { code: node.refuses, message: '' } }));
  });
  io.on('connection', (socket: Socket<DefaultEventsMap>) => {
    const claimed: unknown = socket.handshake.auth['sessionId'];
    const session = typeof claimed === 'string' ? claimed : 'new';
    sockets.add(socket);
    node.sessions.push(session);
    socket.on('disconnect', () => {
      sockets.delete(socket);
      node.sessions.splice(node.sessions.indexOf(session), 1);
    });
    socket.onAny((name: string, _: unknown, answer: Answer) => {
      node.commands.push(name);
      orHold(() => answer({ ok: true, data: {} }));
    });
    orHold(() => socket.emit('session:ready', { sessionId, userId, serverTime: 0, expiresAt: 0 }));
  });
  return { node, port: portOf(http), close: () => io.close() };
};

const portOf = (server: NetServer): number => {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
};
