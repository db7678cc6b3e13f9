/** A process that sends one frame to every socket, and does nothing else: what the system and the clients take by themselves. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { serveParent } from './child.ts';
import { serverFrame } from './frames.ts';

const sockets = new Set<Socket>();
const server = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => sockets.delete(socket));
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
await once(server, 'listening');
// It listens at a port.
const { port } = server.address() as AddressInfo;

serveParent(
  { port },
  {
    send: ({ text }: { text: string }) => {
      const frame = serverFrame(text);
      for (const socket of sockets) socket.write(frame);
    },
    usage: () => {
      const { user, system } = process.cpuUsage();
      return { nodeMs: (user + system) / 1000, workerMs: 0 };
    },
  },
  async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  },
);
