import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MediaDevice } from './media-device.ts';
import type { MediaLinkOptions } from './media-link.ts';
import { Sender } from './sender.ts';
import { idOf, roomId } from './test-support.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A sending transport whose path the test plays; there is none without WebRTC. */
class Transport extends EventEmitter {
  readonly id: string;
  connectionState = 'new';
  closed = false;
  readonly producer = {
    id: '',
    closed: false,
    paused: false,
    pause: (): void => {
      this.producer.paused = true;
    },
    resume: (): void => {
      this.producer.paused = false;
    },
  };

  constructor(id: string) {
    super();
    this.id = id;
  }

  /** How the microphone was to be encoded. */
  codecOptions: object = {};

  async produce({ codecOptions }: { codecOptions: object }) {
    const { producer } = this;
    this.codecOptions = codecOptions;
    producer.id = `producer of ${this.id}`;
    return producer;
  }

  become(state: string): void {
    this.connectionState = state;
    this.emit('connectionstatechange', state);
  }

  close(): void {
    this.closed = true;
  }
}

const setUp = () => {
  const transports: Transport[] = [];
  const device = {
    for: async () => ({
      createSendTransport: ({ id }: { id: string }) => {
        const transport = new Transport(id);
        transports.push(transport);
        return transport;
      },
    }),
  };
  const connection = {
    request: async () => ({
      transport: { transportId: idOf(`${transports.length}`), iceServers: [] },
      audioQuality: 'medium',
      packetMs: 60,
    }),
  };
  const sender = new Sender({
    connection: connection as unknown as MediaLinkOptions['connection'],
    roomId,
    device: device as unknown as MediaDevice,
    broken: () => undefined,
    pathChanged: () => undefined,
  });
  const track = { enabled: true } as MediaStreamTrack;
  const publish = () => sender.publish(track, false);
  return { sender, transports, publish };
};

const states = (transports: readonly Transport[]): boolean[] => transports.map(({ closed }) => !closed);

test('MD-2 puts as much sound into a packet as the server asks for', async () => {
  const { transports, publish } = setUp();
  await publish();
  expect(transports[0]?.codecOptions).toMatchObject({ opusPtime: 60, opusDtx: true });
});

test('OP-2 what sent before sends on until the next transport is connected', async () => {
  const { sender, transports, publish } = setUp();
  await publish();
  transports[0]?.become('connected');
  sender.outlive();
  expect([sender.sending, sender.transport, sender.producerId]).toEqual([false, undefined, undefined]);
  await publish();
  expect(sender.sending).toBe(true);
  expect(states(transports)).toEqual([true, true]);
  transports[1]?.become('connecting');
  await vi.advanceTimersByTimeAsync(0);
  expect(states(transports)).toEqual([true, true]);
  transports[1]?.become('connected');
  await vi.advanceTimersByTimeAsync(0);
  expect(states(transports)).toEqual([false, true]);
});

test('RE-5 what sent before does not outlive a transport that never connects, nor the sender', async () => {
  const { sender, transports, publish } = setUp();
  await publish();
  sender.outlive();
  await publish();
  await vi.advanceTimersByTimeAsync(3000);
  expect(states(transports)).toEqual([false, true]);
  sender.outlive();
  sender.outlive();
  await publish();
  sender.outlive();
  sender.close();
  expect(states(transports)).toEqual([false, false, false]);
  expect(sender.sending).toBe(false);
});

test('MD-10 who mutes themselves in the middle of a move sends nothing by the node that is left either', async () => {
  const { sender, transports, publish } = setUp();
  await publish();
  transports[0]?.become('connected');
  sender.outlive();
  sender.setPaused(true);
  expect(transports[0]?.producer.paused).toBe(true);
  sender.setPaused(false);
  expect(transports[0]?.producer.paused).toBe(false);
});

test('OP-2 two moves in a row: what sent before the first sends on until one of the next stands', async () => {
  const { sender, transports, publish } = setUp();
  await publish();
  transports[0]?.become('connected');
  sender.outlive();
  sender.outlive();
  expect(states(transports)).toEqual([true]);
  await publish();
  sender.outlive();
  expect(states(transports)).toEqual([true, false]);
  expect(sender.state).toBe('connected');
  await publish();
  transports[2]?.become('connected');
  await vi.advanceTimersByTimeAsync(0);
  expect(states(transports)).toEqual([false, false, true]);
});
