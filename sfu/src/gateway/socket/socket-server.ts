import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { type Limits, sizes } from '@rostrum/shared/limits.ts';
import { Server } from 'socket.io';
import type { Logger } from '../../runtime/logger.ts';
import type { RequestOrigin } from '../request-origin.ts';
import { refusalError } from './admission.ts';
import type { Connections } from './connections.ts';
import type { RostrumServer, RostrumSocket } from './types.ts';

export type SocketServerOptions = {
  readonly http: HttpServer | HttpsServer;
  readonly origin: RequestOrigin;
  readonly allowedOrigins: readonly string[];
  readonly limits: Limits;
};

/** A client says who it is as soon as the connection stands. One that has not within this time is closed, in milliseconds. */
const handshakeMs = 10_000;

/** Socket.IO on the HTTP server: WebSocket and polling only, 64 kB a message (SE-7), pings that notice a loss (RE-6). */
export const createSocketServer = ({ http, origin, allowedOrigins, limits }: SocketServerOptions): RostrumServer =>
  new Server(http, {
    transports: ['websocket', 'polling'],
    maxHttpBufferSize: sizes.message,
    pingInterval: limits.pingIntervalMs,
    pingTimeout: limits.pingTimeoutMs,
    connectTimeout: handshakeMs,
    serveClient: false,
    ...(allowedOrigins.length > 0 ? { cors: { origin: [...allowedOrigins], credentials: true } } : {}),
    allowRequest: (request, decide) => decide(origin.allows(request) ? null : 'origin', origin.allows(request)),
  });

export type ServeSocketsOptions = {
  readonly io: RostrumServer;
  readonly connections: Connections;
  readonly dispatch: (socket: RostrumSocket, name: string, args: readonly unknown[]) => void;
  readonly logger: Logger;
};

/** Takes connections, and hands what they send to the dispatch. */
export const serveSockets = ({ io, connections, dispatch, logger }: ServeSocketsOptions): void => {
  const failed = (what: string) => (error: unknown) => logger.error({ err: error }, what);

  io.use((socket, next) => {
    connections.admit(socket).then(
      (refusal) => (refusal === undefined ? next() : next(refusalError(refusal))),
      (error: unknown) => {
        failed('a connection could not be admitted')(error);
        next(refusalError('unavailable'));
      },
    );
  });

  io.on('connection', (socket) => {
    socket.onAny((name: string, ...args: unknown[]) => dispatch(socket, name, args));
    socket.on('disconnect', () => {
      // A client that leaves the namespace alone would keep a connection that nobody counts.
      socket.conn.close();
      connections.closed(socket).catch(failed('a closed connection could not be noted'));
    });
    connections.open(socket).catch((error: unknown) => {
      failed('a connection could not be opened')(error);
      socket.disconnect(true);
    });
  });
};
