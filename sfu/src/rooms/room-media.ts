import type { ClientDtlsParameters, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { audioQualities } from '@rostrum/shared/protocol/room.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { mayAct } from '@rostrum/shared/room/permissions.ts';
import type { Listening, MediaPlane, Publishing, SeatRef } from '../media/media-plane.ts';
import { mayKnow } from '../rules/room/decide/membership.ts';
import { type RoomControl, type Seat, seatOf } from '../rules/room/state.ts';
import type { RoomStore } from '../state/room-store.ts';
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
  publish(seat: SeatRef): Promise<Result<Publishing & { audioQuality: Quality }>>;
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
  readonly control: Pick<MediaControl, 'followHere'>;
  readonly nodeId: string;
};

export const createRoomMedia = (dependencies: RoomMediaDependencies): RoomMediaUseCases => {
  const { engine, media } = dependencies;
  const ifSeated = async <Value>(ref: SeatRef, act: () => Promise<Result<Value>>): Promise<Result<Value>> => {
    const seated = await seatFor(dependencies.store, ref);
    return seated.ok ? act() : seated;
  };
  return {
    listen: (ref) => whileSeated(dependencies, ref, () => media.listen(ref)),
    publish: (ref) => publish(dependencies, ref),
    connect: (ref, transportId, dtlsParameters) => ifSeated(ref, () => media.connect(ref, transportId, dtlsParameters)),
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

type Seated = { readonly seat: Seat; readonly control: RoomControl; readonly version: number };

/** The seat, if this session holds it. */
const seatFor = async (
  store: RoomMediaDependencies['store'],
  { roomId, userId, sessionId }: SeatRef,
): Promise<Result<Seated>> => {
  const loaded = await store.load(roomId, () => ({ users: [userId], standings: [] }));
  if (!loaded) return refuse('not_found');
  const seat = seatOf(loaded.state, userId);
  // Somebody who may not know of the room is not told that it is there (SE-8).
  if (!seat && !mayKnow(loaded.state, { userId, kind: 'guest' })) return refuse('not_found');
  if (!seat || seat.sessionId !== sessionId) return refuse('not_in_room');
  return done({ seat, control: loaded.state.control, version: loaded.version });
};

/** The same for what allocates: media of somebody ends at the node to which they are connected, and that is this one. */
const seatHere = async ({ store, nodeId }: RoomMediaDependencies, ref: SeatRef): Promise<Result<Seated>> => {
  const seated = await seatFor(store, ref);
  return !seated.ok || seated.value.seat.node === nodeId ? seated : refuse('conflict');
};

const onStage = async (dependencies: RoomMediaDependencies, ref: SeatRef): Promise<Result<Seated>> => {
  const seated = await seatHere(dependencies, ref);
  return !seated.ok || mayAct('open-microphone', seated.value.seat.role) ? seated : refuse('forbidden');
};

/**
 * Allocates for a seat, and lets go again if the seat went away meanwhile: a person who was removed while their
 * transport was being made must not keep it. Media here follows the state first: a node that had nobody of the room has not
 * heard of the microphones that it has at others.
 */
const whileSeated = async <Value>(
  dependencies: RoomMediaDependencies,
  ref: SeatRef,
  allocate: () => Promise<Result<Value>>,
): Promise<Result<Value>> => {
  const { store, media, control, nodeId } = dependencies;
  const seated = await seatHere(dependencies, ref);
  if (!seated.ok) return seated;
  control.followHere(mediaStateOf(seated.value.control, seated.value.version));
  const allocated = await allocate();
  if (!allocated.ok) return allocated;
  const still = await seatHere(dependencies, ref);
  if (still.ok) return allocated;
  const loaded = await store.load(ref.roomId, () => ({ users: [ref.userId], standings: [] }));
  const seat = loaded && seatOf(loaded.state, ref.userId);
  media.release(ref.roomId, ref.userId, seat?.node === nodeId ? seat.sessionId : undefined);
  return still;
};

/**
 * A new sending transport ends the one before with its microphone, and the state hears of that first. A microphone at another
 * node plays on until one here takes its place.
 */
const publish = async (
  dependencies: RoomMediaDependencies,
  ref: SeatRef,
): Promise<Result<Publishing & { audioQuality: Quality }>> => {
  const { engine, media, nodeId } = dependencies;
  const seated = await onStage(dependencies, ref);
  if (!seated.ok) return seated;
  const { producerId, producerNode } = seated.value.seat;
  if (producerId !== null && producerNode === nodeId) {
    const closed = await engine.execute(ref.roomId, { type: 'close-microphone', userId: ref.userId, producerId });
    if (!closed.ok) return closed;
  }
  const opened = await whileSeated(dependencies, ref, () => media.publish(ref));
  if (!opened.ok) return opened;
  // They may have left the stage while they waited, and media followed that before it had anything of theirs to close.
  const still = await onStage(dependencies, ref);
  if (still.ok) return done({ ...opened.value, audioQuality: still.value.control.settings.audioQuality });
  media.unpublish(ref);
  return still;
};

const produce = async (
  dependencies: RoomMediaDependencies,
  ref: SeatRef,
  options: { transportId: string; rtpParameters: MicrophoneRtpParameters },
): Promise<Result<{ producerId: string }>> => {
  const { engine, media, nodeId } = dependencies;
  const seated = await onStage(dependencies, ref);
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
