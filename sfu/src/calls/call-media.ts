import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import type { MediaPlane, SeatRef } from '../media/media-plane.ts';
import type { MediaControl } from '../rooms/media-control.ts';
import type { RoomMediaUseCases } from '../rooms/room-media.ts';
import { type CallSide, sideOf } from '../rules/call/state.ts';
import type { CallStore, LoadedCall } from '../state/call-store.ts';
import { callAudioQuality, callMediaStateOf } from './call-media-follower.ts';
import type { Calls } from './calls.ts';

export type CallMediaDependencies = {
  readonly store: Pick<CallStore, 'load'>;
  readonly calls: Pick<Calls, 'execute'>;
  readonly media: MediaPlane;
  readonly control: Pick<MediaControl, 'followHere' | 'close'>;
  readonly nodeId: string;
};

/**
 * Media commands of people in a call that the SFU carries, by the same rules as in a room (MD-9): checked against the call's
 * state first, then allocated, and a microphone counts only once the state has it. Answers undefined where there is no such
 * call; refuses with `stale` whoever is no side of it, and with `forbidden` where the SFU does not carry it.
 */
export type CallMedia = { of(callId: string): Promise<RoomMediaUseCases | undefined> };

export const createCallMedia = (dependencies: CallMediaDependencies): CallMedia => {
  const useCases = callMediaUseCases(dependencies);
  return { of: async (callId) => ((await dependencies.store.load(callId)) ? useCases : undefined) };
};

const callMediaUseCases = (dependencies: CallMediaDependencies): RoomMediaUseCases => {
  const { media, calls, control, nodeId } = dependencies;
  const ifSided = async <Value>(ref: SeatRef, act: (side: CallSide) => Promise<Result<Value>>) => {
    const sided = await sideFor(dependencies, ref);
    return sided.ok ? act(sided.value.side) : sided;
  };
  /** Allocates, and lets go again if the call ended or moved meanwhile. Media here follows first: this node may be new to it. */
  const allocating = async <Value>(ref: SeatRef, allocate: () => Promise<Result<Value>>) => {
    const sided = await sideHere(dependencies, ref);
    if (!sided.ok) return sided;
    control.followHere(callMediaStateOf(sided.value.call, sided.value.version));
    const allocated = await allocate();
    const still = await sideHere(dependencies, ref);
    if (still.ok) return allocated;
    // Only what is this session's: another device may have media of its own by now.
    if (allocated.ok) await releaseUnlessHeld(dependencies, ref);
    return still;
  };
  const close = (ref: SeatRef, producerId: string) =>
    calls.execute(ref.roomId, { type: 'close-microphone', userId: ref.userId, producerId });

  return {
    // Both are on the stage of their call.
    listen: (ref) => allocating(ref, () => media.listen(ref, { onStage: true })),
    publish: (ref) =>
      ifSided(ref, async ({ producerId, producerNode }) => {
        // A new sending transport ends the one before with its microphone, and the state hears of that first. One at another node
        // plays on until one here takes its place.
        const isHere = producerId !== null && producerNode === nodeId;
        const closed = isHere ? await close(ref, producerId) : done(undefined);
        if (!closed.ok) return closed;
        const opened = await allocating(ref, () => media.publish(ref));
        if (!opened.ok) return opened;
        return done({ ...opened.value, audioQuality: callAudioQuality, packetMs: packetTimes.usual });
      }),
    connect: (ref, transportId, dtlsParameters) => ifSided(ref, () => media.connect(ref, transportId, dtlsParameters)),
    produce: (ref, transportId, rtpParameters) =>
      ifSided(ref, async ({ producerId, producerNode }) => {
        if (producerId !== null && producerNode === nodeId) return refuse('already');
        const opened = await media.produce(ref, { transportId, rtpParameters });
        if (!opened.ok) return opened;
        const opening = { type: 'open-microphone', by: ref, producerId: opened.value.producerId } as const;
        const committed = await calls.execute(ref.roomId, { ...opening, node: nodeId });
        if (!committed.ok) media.discard(ref, opened.value.producerId);
        return committed.ok ? opened : committed;
      }),
    unpublish: (ref) =>
      ifSided(ref, async ({ producerId }) => {
        media.unpublish(ref);
        const closed = producerId === null ? done(undefined) : await close(ref, producerId);
        return closed.ok ? done(undefined) : closed;
      }),
    restartIce: (ref, transportId) => ifSided(ref, () => media.restartIce(ref, transportId)),
    sync: (ref, have) => ifSided(ref, () => media.sync(ref, have)),
  };
};

type Sided = LoadedCall & { readonly side: CallSide };

const sideFor = async (
  { store }: Pick<CallMediaDependencies, 'store'>,
  { roomId, userId, sessionId }: SeatRef,
): Promise<Result<Sided>> => {
  const loaded = await store.load(roomId);
  const side = loaded && sideOf(loaded.call, userId);
  if (!loaded || side?.sessionId !== sessionId) return refuse('stale');
  return loaded.call.throughSfu ? done({ ...loaded, side }) : refuse('forbidden');
};

/** The same for what allocates: media of somebody ends at the node to which they are connected, and that is this one. */
const sideHere = async (dependencies: CallMediaDependencies, ref: SeatRef): Promise<Result<Sided>> => {
  const sided = await sideFor(dependencies, ref);
  return !sided.ok || sided.value.side.node === dependencies.nodeId ? sided : refuse('conflict');
};

const releaseUnlessHeld = async (
  { store, media, control, nodeId }: CallMediaDependencies,
  { roomId, userId }: SeatRef,
): Promise<void> => {
  const loaded = await store.load(roomId);
  const side = loaded && sideOf(loaded.call, userId);
  if (loaded) media.release(roomId, userId, side?.node === nodeId ? side.sessionId : undefined);
  // The call is over: what was made for it after its end would keep its media for ever.
  else control.close(roomId);
};
