import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { turnAway } from '../../src/gateway/turn-away.ts';

const node = { accepting: true, full: false, port: 0, close: async (): Promise<unknown> => undefined };

beforeEach(async () => {
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server = new Server(http);
  turnAway(server, (isBack) => node.accepting && (isBack || !node.full));
  const { port } = http.address() as AddressInfo;
  Object.assign(node, { accepting: true, full: false, port, close: () => server.close() });
});

afterEach(() => node.close());

const statusOf = async (query: string, headers: Record<string, string> = {}): Promise<number | undefined> => {
  const asked = request({ host: '127.0.0.1', port: node.port, path: `/socket.io/?EIO=4&${query}`, headers });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
};

const upgrade = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.alloc(16).toString('base64'),
};

test('OP-2 takes new sockets until the node drains, and then says so in a way that a proxy understands', async () => {
  expect(await statusOf('transport=polling')).toBe(200);
  node.accepting = false;
  expect(await statusOf('transport=polling')).toBe(503);
  expect(await statusOf('transport=polling&sid=')).toBe(503);
  expect(await statusOf('transport=websocket', upgrade)).toBe(503);
});

test('MD-3 RE-2 a full node takes those who come back, as a proxy that was restarted sends all of its people here anew', async () => {
  node.full = true;
  expect(await statusOf('transport=polling')).toBe(503);
  expect(await statusOf('transport=polling&back=0')).toBe(503);
  expect(await statusOf('transport=polling&back=1')).toBe(200);
  node.accepting = false;
  expect(await statusOf('transport=polling&back=1')).toBe(503);
});

test('OP-2 a socket that is here goes on while the node drains, by polling too, until it closes', async () => {
  const socket = io(`http://127.0.0.1:${node.port}`, { transports: ['polling'], upgrade: false, reconnection: false });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  node.accepting = false;
  const { id } = socket.io.engine;
  // It holds a poll open already, so a second one is refused by Socket.IO itself: it is not another node's.
  expect(await statusOf(`transport=websocket&sid=${id}`, { ...upgrade, 'sec-websocket-version': '7' })).not.toBe(404);
  expect(socket.connected).toBe(true);
  socket.disconnect();
  for (let count = 0; (await statusOf(`transport=polling&sid=${id}`)) !== 404; count += 1)
    expect(count).toBeLessThan(200);
});

test('OP-2 a socket of another node is told from one that is refused', async () => {
  expect(await statusOf('transport=polling&sid=somewhere-else')).toBe(404);
  expect(await statusOf('transport=websocket&sid=somewhere-else', upgrade)).toBe(404);
  expect(await statusOf('transport=polling&sid=constructor')).toBe(404);
});
