import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import { createRoomSchema } from '@rostrum/shared/protocol/room.ts';
import type { BusMessage } from '../../src/cluster/bus.ts';
import type { SeatRef } from '../../src/media/media-plane.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { AudienceCounter } from '../../src/rooms/audience-counter.ts';
import { createMediaControl, type RunningMediaControl } from '../../src/rooms/media-control.ts';
import { MediaOwners } from '../../src/rooms/media-owners.ts';
import { roomMediaOwner } from '../../src/rooms/media-state.ts';
import type { RoomPublisher } from '../../src/rooms/ports.ts';
import { createRoomEffects } from '../../src/rooms/room-effects.ts';
import { createRoomEngine, type RoomEngine } from '../../src/rooms/room-engine.ts';
import { createRoomMedia, type RoomMediaUseCases } from '../../src/rooms/room-media.ts';
import { createRooms, type Rooms } from '../../src/rooms/rooms.ts';
import type { Person } from '../../src/rules/room/state.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { KeyedQueue } from '../../src/runtime/keyed-queue.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { createMemoryRoomStore } from '../../src/state/memory/memory-room-store.ts';
import { WrtcPeer } from '../support/wrtc-peer.ts';
import type { ClusterNode } from './cluster.ts';
import { until, valueFrom } from './harness.ts';

/** People who hear nothing of views: these tests are about media. */
const silent: RoomPublisher = {
  publish: () => undefined,
  toRoom: () => undefined,
  toSeat: () => undefined,
  toSession: () => undefined,
  enter: () => undefined,
  expel: () => undefined,
  close: () => undefined,
};

/** The use cases of rooms and their media at one node, as app-rooms.ts puts them together. */
export type Desk = {
  readonly node: ClusterNode;
  readonly rooms: Rooms;
  readonly engine: RoomEngine;
  readonly roomMedia: RoomMediaUseCases;
  readonly control: RunningMediaControl;
};

/** Nodes that serve the same rooms: one store, media of their own, and a way to tell each other what media follows. */
export class House {
  readonly store = createMemoryRoomStore(systemClock);
  readonly records = openSqliteRecords({ path: ':memory:' });
  readonly desks: readonly Desk[];
  /** By session and node, whoever is told what media tells. */
  readonly #visits = new Map<string, Visit>();
  /** Everything that nodes told each other, and whether it arrives. */
  readonly told: BusMessage[] = [];
  arrives: (message: BusMessage) => boolean = () => true;

  constructor(nodes: readonly ClusterNode[], limits: Partial<Limits> = {}) {
    this.desks = nodes.map((node) => this.#desk(node, { ...defaultLimits, ...limits }));
  }

  #desk(node: ClusterNode, limits: Limits): Desk {
    const { store, records } = this;
    const { rig, name: nodeId } = node;
    const logger = createPino(process.env['TEST_LOG'] ?? 'silent');
    const owners = new MediaOwners();
    const noted = (seat: SeatRef, producerId: string | undefined) => {
      if (producerId !== undefined) void owners.tell((owner) => owner.microphoneClosed(seat, producerId));
    };
    const control = createMediaControl({
      media: rig.plane,
      owners,
      unpublished: noted,
      nodeId,
      limits,
      logger,
      bus: { tell: (message) => this.#tell(nodeId, message) },
    });
    const counter = new AudienceCounter(silent, limits.audienceCountMs);
    const follow = createRoomEffects({ store, records, media: control, publisher: silent, counter, limits, logger });
    const queue = new KeyedQueue(limits.commandsWaitingPerRoom);
    const engine = createRoomEngine({ store, queue, clock: systemClock, limits, newId, follow });
    owners.connect(roomMediaOwner({ engine, store, nodeId }));
    const directory = { person: async (userId: string) => personOf(userId) };
    const common = { engine, store, records, limits, newId, nodeId };
    const rooms = createRooms({ ...common, directory, publisher: silent, clock: systemClock });
    rig.told.consumersAdded.push = ([voices]) => this.#visit(voices.seat, nodeId)?.added(voices) ?? 0;
    rig.told.consumersRemoved.push = ([seat, ids]) => this.#visit(seat, nodeId)?.removed(ids) ?? 0;
    rig.told.unpublished.push = ([seat, producerId]) => {
      noted(seat, producerId);
      return 0;
    };
    rig.told.mediaLost.push = ([roomId, { microphones }]) => {
      if (microphones) void owners.tell((owner) => owner.mediaLost(roomId));
      return 0;
    };
    return { node, rooms, engine, control, roomMedia: createRoomMedia({ ...common, media: rig.plane, control }) };
  }

  #tell(from: string, message: BusMessage): void {
    this.told.push(message);
    if (!this.arrives(message)) return;
    for (const { node, control } of this.desks) if (node.name !== from) control.taken(structuredClone(message));
  }

  #visit({ sessionId }: SeatRef, node: string): Visit | undefined {
    return this.#visits.get(`${sessionId} ${node}`);
  }

  /** A room that is open, with its host. Everybody else who comes is on its stage too, or, where nobody else can speak, its audience. */
  async open(host: string, at: Desk, anyoneCanSpeak = true): Promise<string> {
    await this.records.users.put({ ...personOf(host), createdAt: 0, lastSeenAt: 0 });
    const room = createRoomSchema.parse({ title: 'A room', permissions: { anyoneCanSpeak } });
    return valueFrom(await at.rooms.create(personOf(host), room)).roomId;
  }

  /** A session comes to a node and joins there, with what a page has: one peer. */
  async visit(seat: SeatRef, desk: Desk): Promise<Visit> {
    const visit = new Visit(seat, desk);
    this.#visits.set(`${seat.sessionId} ${desk.node.name}`, visit);
    valueFrom(await desk.rooms.join(personOf(seat.userId), seat.roomId, seat.sessionId));
    return visit;
  }

  async close(): Promise<void> {
    for (const visit of this.#visits.values()) visit.peer.close();
    for (const { control } of this.desks) control.stop();
    await this.records.close();
  }
}

const personOf = (userId: string): Person => ({ userId, displayName: 'Somebody', kind: 'guest' });

/** A session at a node. */
export class Visit {
  readonly seat: SeatRef;
  readonly desk: Desk;
  readonly peer: WrtcPeer;
  /** What it was told, in order: voices that came and went, by consumer. */
  readonly story: string[] = [];
  #negotiation: Promise<void> = Promise.resolve();

  constructor(seat: SeatRef, desk: Desk) {
    this.seat = seat;
    this.desk = desk;
    this.peer = new WrtcPeer({
      connect: async (transportId, { role, fingerprints }) =>
        valueFrom(
          await desk.roomMedia.connect(seat, transportId, { fingerprints, ...(role === undefined ? {} : { role }) }),
        ),
      produce: async (transportId, rtpParameters) =>
        valueFrom(await desk.roomMedia.produce(seat, transportId, rtpParameters)).producerId,
    });
  }

  async listen(): Promise<void> {
    const answer = valueFrom(await this.desk.roomMedia.listen(this.seat));
    await this.#next(() => this.peer.listen(answer));
  }

  async speak(hertz: number): Promise<string> {
    return this.peer.speak(valueFrom(await this.desk.roomMedia.publish(this.seat)), { hertz });
  }

  added({ transportId, consumers }: { transportId: string; consumers: Parameters<WrtcPeer['addVoices']>[0] }): number {
    this.story.push(...consumers.map(({ producerId }) => `+${producerId}`));
    const adding = this.#next(async () => {
      if (this.peer.receivingId === transportId) await this.peer.addVoices(consumers);
    });
    // A peer that closes in the middle of a negotiation fails at it.
    adding.catch((error: unknown) => {
      if (this.peer.receivingId === transportId) throw error;
    });
    return 0;
  }

  removed(consumerIds: readonly string[]): number {
    this.story.push(...consumerIds.map(() => '-'));
    void this.#next(async () => this.peer.dropVoices(consumerIds)).catch(() => undefined);
    return 0;
  }

  /** Resolves when it hears these tones and no others, by user. */
  async hears(...voices: (readonly [userId: string, hertz: number])[]): Promise<void> {
    let heard = new Map<string, number>();
    const exactly = () => {
      heard = this.peer.hears();
      const isRight = ([userId, hertz]: readonly [string, number]) =>
        Math.abs((heard.get(userId) ?? 0) - hertz) < 0.06 * hertz;
      return heard.size === voices.length && voices.every(isRight);
    };
    await until(`hears ${voices.map(([, hertz]) => hertz)}`, exactly).catch((error: Error) => {
      throw new Error(`${error.message}, but ${JSON.stringify([...heard])}`);
    });
  }

  #next(step: () => Promise<void>): Promise<void> {
    this.#negotiation = this.#negotiation.then(step);
    return this.#negotiation;
  }
}
