import { setTimeout as pause } from 'node:timers/promises';
import type { Usage } from './gauge.ts';
import { LightPeer } from './light-peer.ts';
import type { Side } from './side.ts';
import { Conversation, Speaker } from './speakers.ts';
import { sum } from './statistics.ts';

export type RoomSize = { readonly speakers: number; readonly listeners: number; readonly payload: number };

/** Packets that a worker sent to listeners, that arrived there, and that should have. */
type Counts = { readonly forwarded: number; readonly arrived: number; readonly expected: number };

/** What one measurement says of one side. */
export type Slice = Counts & Usage & { readonly spokenMs: number; readonly elapsedMs: number };

/** Time for what is on its way to arrive, in milliseconds. */
const settleMs = 150;

/** A server with people who speak and people who listen. */
export class Room {
  readonly side: Side;
  readonly #listeners: readonly LightPeer[];
  readonly #conversation: Conversation;

  static async open(side: Side, size: RoomSize): Promise<Room> {
    const speakers: Speaker[] = [];
    for (let index = 0; index < size.speakers; index += 1)
      speakers.push(await Speaker.open(await side.seat('speaker'), size.payload));
    const listeners: LightPeer[] = [];
    for (let index = 0; index < size.listeners; index += 1) {
      const seat = await side.seat('listener');
      const { transport, consumers } = await seat.listen();
      if (consumers.length !== size.speakers) throw new Error(`${side.name} offers ${consumers.length} voices`);
      const peer = new LightPeer(transport);
      await peer.connect((dtlsParameters) => seat.connectTransport(peer.transportId, dtlsParameters));
      listeners.push(peer);
    }
    return new Room(side, listeners, new Conversation(speakers));
  }

  private constructor(side: Side, listeners: readonly LightPeer[], conversation: Conversation) {
    this.side = side;
    this.#listeners = listeners;
    this.#conversation = conversation;
  }

  /** Lets everybody speak for so long. */
  async speak(ms: number): Promise<void> {
    this.#conversation.start();
    await pause(ms);
    this.#conversation.stop();
  }

  /** What the packets so far came to. It asks every consumer, so not while CPU time is measured. */
  async counts(): Promise<Counts> {
    return {
      forwarded: await this.side.packetsSent(),
      arrived: sum(this.#listeners.map(({ packets }) => packets)),
      expected: this.#conversation.packets * this.#listeners.length,
    };
  }

  close(): void {
    this.#conversation.close();
    for (const peer of this.#listeners) peer.close();
  }
}

/** Begins to measure a room; the answer ends it. Packets are counted before the CPU time is read, and after. */
const begin = async (room: Room): Promise<(spokenMs: number, elapsedMs: number) => Promise<Slice>> => {
  const before = await room.counts();
  const used = await room.side.usage();
  return async (spokenMs, elapsedMs) => {
    const { workerMs, nodeMs } = await room.side.usage();
    const after = await room.counts();
    return {
      spokenMs,
      elapsedMs,
      workerMs: workerMs - used.workerMs,
      nodeMs: nodeMs - used.nodeMs,
      forwarded: after.forwarded - before.forwarded,
      arrived: after.arrived - before.arrived,
      expected: after.expected - before.expected,
    };
  };
};

/**
 * Lets two rooms speak in turns, for so long together, and says what each cost. The turns are short against whatever else
 * the machine does meanwhile, so that it meets both alike; a room that is silent costs next to nothing.
 */
export const measureInTurns = async (
  rooms: readonly [Room, Room],
  { turnMs, durationMs }: { readonly turnMs: number; readonly durationMs: number },
): Promise<[Slice, Slice]> => {
  const ends = [await begin(rooms[0]), await begin(rooms[1])] as const;
  const begun = performance.now();
  const spokenMs: [number, number] = [0, 0];
  while (performance.now() - begun < durationMs) {
    for (const index of [0, 1] as const) {
      const turnBegun = performance.now();
      await rooms[index].speak(turnMs);
      spokenMs[index] += performance.now() - turnBegun;
    }
  }
  await pause(settleMs);
  const elapsedMs = performance.now() - begun;
  return [await ends[0](spokenMs[0], elapsedMs), await ends[1](spokenMs[1], elapsedMs)];
};
