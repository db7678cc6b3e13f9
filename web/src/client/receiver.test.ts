import { EventEmitter } from 'node:events';
import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MediaDevice } from './media-device.ts';
import type { MediaLinkOptions } from './media-link.ts';
import { Receiver } from './receiver.ts';
import { roomId } from './test-support.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A receiving transport whose path the test plays; there is none without WebRTC. */
class Transport extends EventEmitter {
  readonly id: string;
  connectionState = 'new';
  closed = false;

  constructor(id: string) {
    super();
    this.id = id;
  }

  async consume({ id }: { id: string }) {
    return { id, track: `track ${id}`, rtpReceiver: undefined, close: () => undefined };
  }

  become(state: string): void {
    this.connectionState = state;
    this.emit('connectionstatechange', state);
  }

  close(): void {
    this.closed = true;
  }
}

type Offer = { readonly consumerId: string; readonly producerId: string; readonly userId: string };

const offer = (consumerId: string, userId: string): Offer => ({ consumerId, producerId: `of ${userId}`, userId });

const setUp = () => {
  const transports: Transport[] = [];
  const server = { consumers: [] as Offer[], asked: 0 };
  const device = {
    for: async () => ({
      createRecvTransport: ({ id }: { id: string }) => {
        const transport = new Transport(id);
        transports.push(transport);
        return transport;
      },
    }),
  };
  const offered = () =>
    ({
      transport: { transportId: `transport ${transports.length}`, iceServers: [] },
      consumers: server.consumers,
    }) as unknown as ListeningOffer;
  const connection = {
    request: async () => {
      server.asked += 1;
      return offered();
    },
  };
  /** What is played of whom. */
  const played = new Map<string, unknown>();
  const receiver = new Receiver({
    connection: connection as unknown as MediaLinkOptions['connection'],
    roomId,
    device: device as unknown as MediaDevice,
    broken: () => undefined,
    pathChanged: () => undefined,
    voiceAdded: ({ userId, track }) => played.set(userId, track),
    voiceRemoved: (userId) => played.delete(userId),
  });
  const add = (transport: number, ...offers: Offer[]) =>
    receiver.add(`transport ${transport}`, offers as unknown as Parameters<Receiver['add']>[1]);
  return { receiver, transports, server, played, add, offered };
};

const open = (transports: readonly Transport[]): boolean[] => transports.map(({ closed }) => !closed);

test('RE-2 OP-2 voices that the next node does not have yet are heard from the one before until it has them', async () => {
  const { receiver, transports, server, played, add } = setUp();
  server.consumers = [offer('a0', 'ana'), offer('b0', 'ben')];
  await receiver.listen();
  transports[0]?.become('connected');
  expect([...played]).toEqual([
    ['ana', 'track a0'],
    ['ben', 'track b0'],
  ]);
  // Nobody of the room was at that node: the voices come by a pipe.
  server.consumers = [];
  await receiver.listen();
  expect(open(transports)).toEqual([true, true]);
  expect([...played.values()]).toEqual(['track a0', 'track b0']);
  expect(receiver.consumerIds).toEqual([]);
  expect(receiver.state).toBe('connected');
  const added = add(1, offer('a1', 'ana'));
  await vi.advanceTimersByTimeAsync(100);
  expect(played.get('ana')).toBe('track a0');
  transports[1]?.become('connected');
  await vi.advanceTimersByTimeAsync(200);
  await added;
  expect([...played.values()]).toEqual(['track a1', 'track b0']);
  expect(open(transports)).toEqual([true, true]);
  const last = add(1, offer('b1', 'ben'));
  await vi.advanceTimersByTimeAsync(200);
  await last;
  expect([...played.values()]).toEqual(['track a1', 'track b1']);
  expect(open(transports)).toEqual([false, true]);
});

test('RE-5 what is left of the node before goes after a while, and with it the voices that came from nowhere else', async () => {
  const { receiver, transports, server, played } = setUp();
  server.consumers = [offer('a0', 'ana')];
  await receiver.listen();
  transports[0]?.become('connected');
  server.consumers = [];
  await receiver.listen();
  await vi.advanceTimersByTimeAsync(4900);
  expect(played.get('ana')).toBe('track a0');
  await vi.advanceTimersByTimeAsync(200);
  expect(played.size).toBe(0);
  expect(open(transports)).toEqual([false, true]);
});

test('MO-2 a voice that ends while it is heard from the node before is heard no more', async () => {
  const { receiver, transports, server, played } = setUp();
  server.consumers = [offer('a0', 'ana')];
  await receiver.listen();
  transports[0]?.become('connected');
  server.consumers = [];
  await receiver.listen();
  receiver.remove(['a0']);
  expect(played.size).toBe(0);
  expect(open(transports)).toEqual([false, true]);
});

test('OP-2 two moves in a row: what was heard before the first is heard until the last one has it', async () => {
  const { receiver, transports, server, played, add } = setUp();
  server.consumers = [offer('a0', 'ana')];
  await receiver.listen();
  transports[0]?.become('connected');
  server.consumers = [];
  await receiver.listen();
  await receiver.listen();
  expect(open(transports)).toEqual([true, false, true]);
  expect(played.get('ana')).toBe('track a0');
  const added = add(2, offer('a2', 'ana'));
  transports[2]?.become('connected');
  await vi.advanceTimersByTimeAsync(200);
  await added;
  expect(played.get('ana')).toBe('track a2');
  expect(open(transports)).toEqual([false, false, true]);
});

test('RE-5 nothing is left open of a transport that was being made when the room was left', async () => {
  const { receiver, transports, server, played } = setUp();
  server.consumers = [offer('a0', 'ana')];
  await receiver.listen();
  transports[0]?.become('connected');
  const listening = receiver.listen();
  receiver.close();
  await vi.advanceTimersByTimeAsync(10_000);
  await listening;
  expect(open(transports)).toEqual([false, false]);
  expect(played.size).toBe(0);
});

test('MD-1 what was opened with the seat is heard without asking for it', async () => {
  const { receiver, server, played, offered } = setUp();
  server.consumers = [offer('a0', 'ana')];
  await receiver.listen(offered());
  expect([...played.values()]).toEqual(['track a0']);
  expect(server.asked).toBe(0);
  const anew = receiver.listen(null);
  await vi.advanceTimersByTimeAsync(10_000);
  await anew;
  expect(server.asked).toBe(1);
});

test('MD-8 after the loss of its worker the next transport is played at once, in the place of the one before', async () => {
  const { receiver, transports, server, played } = setUp();
  server.consumers = [offer('a0', 'ana'), offer('b0', 'ben')];
  await receiver.listen();
  transports[0]?.become('connected');
  receiver.lost();
  expect(open(transports)).toEqual([false]);
  // Nothing is taken down: an element that plays may go on playing, another one might need a tap.
  expect([...played.keys()]).toEqual(['ana', 'ben']);
  server.consumers = [offer('a1', 'ana')];
  await receiver.listen();
  expect([...played.values()]).toEqual(['track a1', 'track b0']);
  // Ben's voice went with the worker too, and does not come back.
  await vi.advanceTimersByTimeAsync(5000);
  expect([...played.values()]).toEqual(['track a1']);
  expect(open(transports)).toEqual([false, true]);
});
