/**
 * Sockets of another machine (see namespaces.ts): this runs there as a child of the test, and passes on what its sockets
 * hear and what they are to say.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';

export type Address = { readonly address: string; readonly port: number };

/** From the test. */
export type FarCommand =
  | { readonly kind: 'udp' | 'tcp'; readonly id: number; readonly at: Address }
  | { readonly kind: 'send'; readonly id: number; readonly data: Uint8Array; readonly to?: Address | undefined }
  | { readonly kind: 'close'; readonly id: number };
/** To the test. */
export type FarReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'open'; readonly id: number; readonly at: Address }
  | { readonly kind: 'data'; readonly id: number; readonly data: Uint8Array; readonly from?: Address | undefined }
  | { readonly kind: 'closed'; readonly id: number; readonly error?: string | undefined };

const report = (message: FarReport): void => {
  process.send?.(message);
};

const udpSockets = new Map<number, UdpSocket>();
const tcpSockets = new Map<number, Socket>();

const openUdp = async (id: number, at: Address): Promise<void> => {
  const socket = createSocket(isIPv6(at.address) ? 'udp6' : 'udp4');
  udpSockets.set(id, socket);
  socket.on('message', (data, { address, port }) => report({ kind: 'data', id, data, from: { address, port } }));
  socket.on('error', (error) => report({ kind: 'closed', id, error: error.message }));
  socket.bind(at.port, at.address);
  await once(socket, 'listening');
  report({ kind: 'open', id, at: { address: socket.address().address, port: socket.address().port } });
};

const openTcp = (id: number, { address, port }: Address): void => {
  const socket = connect({ host: address, port });
  tcpSockets.set(id, socket);
  socket.on('connect', () => report({ kind: 'open', id, at: { address, port } }));
  socket.on('data', (data) => report({ kind: 'data', id, data }));
  socket.on('error', (error) => report({ kind: 'closed', id, error: error.message }));
  socket.on('close', () => report({ kind: 'closed', id }));
};

process.on('message', (command: FarCommand) => {
  if (command.kind === 'udp')
    openUdp(command.id, command.at).catch((error) => report({ kind: 'closed', id: command.id, error: String(error) }));
  else if (command.kind === 'tcp') openTcp(command.id, command.at);
  else if (command.kind === 'send') {
    const { id, data, to } = command;
    tcpSockets.get(id)?.write(data);
    if (to) udpSockets.get(id)?.send(data, to.port, to.address);
  } else {
    udpSockets.get(command.id)?.close();
    tcpSockets.get(command.id)?.destroy();
    udpSockets.delete(command.id);
    tcpSockets.delete(command.id);
  }
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
report({ kind: 'ready' });
