import type { Limits } from '@rostrum/shared/limits.ts';
import type { ClientDtlsParameters, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { audioQualities } from '@rostrum/shared/protocol/room.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { type PacketTime, packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import { mayAct, onStage } from '@rostrum/shared/room/permissions.ts';
import type { Listening, MediaPlane, Publishing, SeatRef } from '../media/media-plane.ts';
import { mayKnow } from '../rules/room/decide/membership.ts';
import { peopleCount, type RoomState, seatOf } from '../rules/room/state.ts';
import type { RoomStore } from '../state/room-store.ts';
import type { Seated } from './join-room.ts';
import type { MediaControl } from './media-control.ts';
import { mediaStateOf } from './media-state.ts';
import type { RoomEngine } from './room-engine.ts';

type Quality = (typeof audioQualities)[number];

/**
 * Media commands of people in a room: each is checked against the room's state first (MD-9), then allocated; a
 * microphone counts only once the state has it.
 */
export type RoomMediaUseCases = {
  listen(seat: SeatRef): Promise<Result<Listening>>;
  publish(seat: SeatRef): Promise<Result<Publishing & { audioQuality: Quality; packetMs: PacketTime }>>;
  connect(seat: SeatRef, transportId: string, dtlsParameters: ClientDtlsParameters): Promise<Result<void>>;
  produce(
    seat: SeatRef,
    transportId: string,
    rtpParameters: MicrophoneRtpParameters,
  ): Promise<Result<{ producerId: string }>>;
  unpublish(seat: SeatRef): Promise<Result<void>>;
  restartIce(seat: SeatRef, transportId: string): ReturnType<MediaPlane['restartIce']>;
  sync(seat: SeatRef, have: Parameters<MediaPlane['sync']>[1]): ReturnType<MediaPlane['sync']>;
};

export type RoomMediaDependencies = {
  readonly engine: RoomEngine;
  readonly store: Pick<RoomStore, 'load'>;
  readonly media: MediaPlane;
  readonly control: Pick<MediaControl, 'followHere' | 'remind'>;
  readonly limits: Pick<Limits, 'largeRoomPeople'>;
  readonly nodeId: string;
  /** A transport of this seat is about to connect. */
  readonly connected?: (seat: SeatRef) => void;
};

/** What only rooms have: people who listen as soon as they sit. */
export type RoomMedia = RoomMediaUseCases & {
  /**
   * Whether there is room for one more who listens (MD-3), which costs nothing to ask. Refuses with `node_full` alone: where no worker
   * runs at this moment, one will in the next.
   */
  admit(seat: SeatRef): Result<void>;
  /** `listen` for whoever has just sat down, as `seated` says; it begins at once. */
  listenSeated(seat: SeatRef, seated: Seated): Promise<Result<Listening>>;
};

export const createRoomMedia = (dependencies: RoomMediaDependencies): RoomMedia => {
  const { engine, media, connected = () => undefined } = dependencies;
  const ifSeated = async <Value>(ref: SeatRef, act: () => Promise<Result<Value>>): Promise<Result<Value>> => {
    const seated = await seatFor(dependencies.store, ref);
    return seated.ok ? act() : seated;
  };
  return {
    admit: (ref) => {
      const admitted = media.admit(ref);
      return admitted.ok || admitted.refusal.code === 'node_full' ? admitted : done(undefined);
    },
    listenSeated: (ref, seated) => listenAs(dependencies, ref, seated),
    listen: async (ref) => {
      const seated = await seatHere(dependencies, ref);
      return seated.ok ? listenAs(dependencies, ref, seated.value) : seated;
    },
    publish: (ref) => publish(dependencies, ref),
    connect: (ref, transportId, dtlsParameters) =>
      ifSeated(ref, () => {
        connected(ref);
        return media.connect(ref, transportId, dtlsParameters);
      }),
    produce: (ref, transportId, rtpParameters) => produce(dependencies, ref, { transportId, rtpParameters }),
    unpublish: (ref) =>
      ifSeated(ref, async () => {
        media.unpublish(ref);
        const closed = await engine.execute(ref.roomId, { type: 'close-microphone', userId: ref.userId });
        return closed.ok ? done(undefined) : closed;
      }),
    restartIce: (ref, transportId) => ifSeated(ref, () => media.restartIce(ref, transportId)),
    sync: (ref, have) => ifSeated(ref, () => media.sync(ref, have)),
  };
};

type SeatedIn = Seated & { readonly state: RoomState };

/** The seat, if this session holds it. */
const seatFor = async (
  store: RoomMediaDependencies['store'],
  { roomId, userId, sessionId }: SeatRef,
): Promise<Result<SeatedIn>> => {
  const loaded = await store.load(roomId, () => ({ users: [userId], standings: [] }));
  if (!loaded) return refuse('not_found');
  const seat = seatOf(loaded.state, userId);
  // Somebody who may not know of the room is not told that it is there (SE-8).
  if (!seat && !mayKnow(loaded.state, { userId, kind: 'guest' })) return refuse('not_found');
  if (!seat || seat.sessionId !== sessionId) return refuse('not_in_room');
  return done({ seat, state: loaded.state, control: loaded.state.control, version: loaded.version });
};

/** The same for what allocates: media of somebody ends at the node to which they are connected, and that is this one. */
const seatHere = async ({ store, nodeId }: RoomMediaDependencies, ref: SeatRef): Promise<Result<SeatedIn>> => {
  const seated = await seatFor(store, ref);
  return !seated.ok || seated.value.seat.node === nodeId ? seated : refuse('conflict');
};

const stageSeat = async (dependencies: RoomMediaDependencies, ref: SeatRef): Promise<Result<SeatedIn>> => {
  const seated = await seatHere(dependencies, ref);
  return !seated.ok || mayAct('open-microphone', seated.value.seat.role) ? seated : refuse('forbidden');
};

/** Opens a receiving transport: at the stage, or in the audience. */
const listenAs = (dependencies: RoomMediaDependencies, ref: SeatRef, seated: Seated): Promise<Result<Listening>> =>
  whileSeated(dependencies, ref, {
    seated,
    allocate: () => dependencies.media.listen(ref, { onStage: onStage(seated.seat.role) }),
  });

/**
 * Allocates for a seat, and lets go again if the seat went away meanwhile: a person who was removed while their
 * transport was being made must not keep it. Media here follows the state first: a node that had nobody of the room has not
 * heard of the microphones that it has at others. Nothing is waited for before that, and before allocating.
 */
const whileSeated = async <Value>(
  dependencies: RoomMediaDependencies,
  ref: SeatRef,
  { seated, allocate }: { readonly seated: Seated; readonly allocate: () => Promise<Result<Value>> },
): Promise<Result<Value>> => {
  const { store, media, control, nodeId } = dependencies;
  control.remind(mediaStateOf(seated.control, seated.version));
  const allocated = await allocate();
  if (!allocated.ok) return allocated;
  const still = await seatHere(dependencies, ref);
  if (still.ok) {
    // They came onto the stage, or left it, and media followed that before it had anything of theirs to move.
    if (onStage(still.value.seat.role) !== onStage(seated.seat.role))
      control.followHere(mediaStateOf(still.value.control, still.value.version));
    return allocated;
  }
  const loaded = await store.load(ref.roomId, () => ({ users: [ref.userId], standings: [] }));
  const seat = loaded && seatOf(loaded.state, ref.userId);
  media.release(ref.roomId, ref.userId, seat?.node === nodeId ? seat.sessionId : undefined);
  return still;
};

/**
 * A new sending transport ends the one before with its microphone, and the state hears of that first. A microphone at another
 * node plays on until one here takes its place.
 */
const publish = async (dependencies: RoomMediaDependencies, ref: SeatRef): ReturnType<RoomMediaUseCases['publish']> => {
  const { engine, media, limits, nodeId } = dependencies;
  const seated = await stageSeat(dependencies, ref);
  if (!seated.ok) return seated;
  const { producerId, producerNode } = seated.value.seat;
  if (producerId !== null && producerNode === nodeId) {
    const closed = await engine.execute(ref.roomId, { type: 'close-microphone', userId: ref.userId, producerId });
    if (!closed.ok) return closed;
  }
  const opened = await whileSeated(dependencies, ref, { seated: seated.value, allocate: () => media.publish(ref) });
  if (!opened.ok) return opened;
  // They may have left the stage while they waited, and media followed that before it had anything of theirs to close.
  const still = await stageSeat(dependencies, ref);
  if (still.ok) {
    const { audioQuality } = still.value.control.settings;
    return done({ ...opened.value, audioQuality, packetMs: packetTimeIn(still.value.state, limits) });
  }
  media.unpublish(ref);
  return still;
};

/** Music keeps to short packets: what is lost with a long one is a hole that nothing conceals. */
const packetTimeIn = (state: RoomState, { largeRoomPeople }: Pick<Limits, 'largeRoomPeople'>): PacketTime =>
  peopleCount(state) >= largeRoomPeople && state.control.settings.audioQuality !== 'music'
    ? packetTimes.large
    : packetTimes.usual;

const produce = async (
  dependencies: RoomMediaDependencies,
  ref: SeatRef,
  options: { transportId: string; rtpParameters: MicrophoneRtpParameters },
): Promise<Result<{ producerId: string }>> => {
  const { engine, media, nodeId } = dependencies;
  const seated = await stageSeat(dependencies, ref);
  if (!seated.ok) return seated;
  const { seat } = seated.value;
  if (seat.producerId !== null && seat.producerNode === nodeId) return refuse('already');
  const produced = await media.produce(ref, options);
  if (!produced.ok) return produced;
  const { producerId } = produced.value;
  const by = { userId: ref.userId, sessionId: ref.sessionId };
  const committed = await engine.execute(ref.roomId, { type: 'open-microphone', by, producerId, node: nodeId });
  if (committed.ok) return produced;
  media.discard(ref, producerId);
  return committed;
};
