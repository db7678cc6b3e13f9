import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as SocketServer } from 'socket.io';

/**
 * Lets a proxy in front find the node that a socket belongs to. It sees answers of HTTP and nothing of Socket.IO, so what is not
 * for this node is refused before Socket.IO has it, with a status after which the proxy asks the next node (deploy/nginx):
 *
 * - 503 for a new socket while this node takes nobody, as it does while it drains (OP-2), or is full and another is not (MD-3). One that
 *   comes back (`back=1`) is taken by a full node: it has most likely lost its connection to this one, where its media is;
 * - 404 for a request of a polling socket that this node does not know: it is another node's, and no fault of this one.
 *
 * To be called before the server listens.
 */
export const turnAway = ({ engine }: Pick<SocketServer, 'engine'>, accepting: (isBack: boolean) => boolean): void => {
  /** The sockets of this node; each is taken out when it closes. */
  const here = new Set<string>();
  engine.on('connection', (socket: { readonly id: string; once(name: 'close', act: () => void): unknown }) => {
    here.add(socket.id);
    socket.once('close', () => here.delete(socket.id));
  });
  engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const query = queryOf(request);
    // The id of the polling socket that a request belongs to; none for a new socket.
    const socketId = query.get('sid') || undefined;
    if (socketId === undefined && !accepting(query.get('back') === '1')) refuseWith(503, request, response);
    else if (socketId !== undefined && !here.has(socketId)) refuseWith(404, request, response);
    else next();
  });
};

const queryOf = ({ url = '' }: IncomingMessage): URLSearchParams =>
  new URLSearchParams(url.slice(url.indexOf('?') + 1));

const statusText = { 404: 'Not Found', 503: 'Service Unavailable' } as const;

const refuseWith = (status: 404 | 503, request: IncomingMessage, response: ServerResponse): void => {
  if (request.headers.upgrade === undefined) {
    response.writeHead(status, { connection: 'close', 'content-length': 0 }).end();
    return;
  }
  // Of an upgrade Engine.IO's response can only be cut off, which a proxy takes for a node that is broken.
  request.socket.end(`HTTP/1.1 ${status} ${statusText[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
};
