import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { MediaPlane, RoomMediaState, SeatRef } from '../media/media-plane.ts';
import type { MediaOwner } from '../rooms/media-bridge.ts';
import type { MediaFollower } from '../rooms/media-follower.ts';
import type { RoomMediaUseCases } from '../rooms/room-media.ts';
import { type CallSide, type CallState, sideOf } from '../rules/call/state.ts';
import type { CallStore } from '../state/call-store.ts';
import type { Calls } from './calls.ts';

/** Voices of a call that has no better way: as good as a room's by default. */
const audioQuality = 'medium' satisfies RoomMediaState['audioQuality'];

export type CallMediaFollower = {
  /** Makes the SFU's media what the call's state says. Calls that it does not carry are none of its business. */
  follow(call: CallState): void;
};

type FollowerParts = { readonly media: MediaPlane; readonly follower: MediaFollower };

/** Media follows state: to the SFU a call that it carries is a room with two people on the stage (RD-4). */
export const createCallMediaFollower = ({ media, follower }: FollowerParts): CallMediaFollower => ({
  follow: (call) => {
    if (!call.throughSfu) return;
    if (call.phase !== 'ended') {
      // A device that lost the side to another one hears nothing more (ID-5).
      for (const { userId, sessionId } of call.sides) media.release(call.callId, userId, sessionId);
      follower.follow(mediaStateOf(call));
      return;
    }
    follower.forget(call.callId);
    media.closeRoom(call.callId);
  },
});

const mediaStateOf = ({ callId, sides }: CallState): RoomMediaState => ({
  roomId: callId,
  audioQuality,
  stage: new Map(sides.map(({ userId, sessionId }) => [userId, { sessionId }])),
  microphones: new Map(
    sides.flatMap(({ userId, sessionId, producerId }) =>
      producerId === null ? [] : [[userId, { userId, sessionId, producerId, muted: false }] as const],
    ),
  ),
});

/** Calls as owners of media. */
export const callMediaOwner = (calls: Pick<Calls, 'execute'>): MediaOwner => ({
  microphoneClosed: ({ roomId, userId }, producerId) =>
    calls.execute(roomId, { type: 'close-microphone', userId, producerId }),
  mediaLost: (roomId) => calls.execute(roomId, { type: 'lose-sfu-media' }),
});

export type CallMediaDependencies = {
  readonly store: Pick<CallStore, 'load'>;
  readonly calls: Pick<Calls, 'execute'>;
  readonly media: MediaPlane;
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
  const { media, calls } = dependencies;
  const ifSided = async <Value>(ref: SeatRef, act: (side: CallSide) => Promise<Result<Value>>) => {
    const side = await sideFor(dependencies, ref);
    return side.ok ? act(side.value) : side;
  };
  /** Allocates, and lets go again if the call ended or moved meanwhile. */
  const allocating = <Value>(ref: SeatRef, allocate: () => Promise<Result<Value>>) =>
    ifSided(ref, async () => {
      const allocated = await allocate();
      const still = await sideFor(dependencies, ref);
      if (still.ok) return allocated;
      // Only what is this session's: another device may have media of its own by now.
      if (allocated.ok) await releaseUnlessHeld(dependencies, ref);
      return still;
    });
  const close = (ref: SeatRef, producerId: string) =>
    calls.execute(ref.roomId, { type: 'close-microphone', userId: ref.userId, producerId });

  return {
    listen: (ref) => allocating(ref, () => media.listen(ref)),
    publish: (ref) =>
      ifSided(ref, async ({ producerId }) => {
        // A new sending transport ends the one before with its microphone, and the state hears of that first.
        const closed = producerId === null ? done(undefined) : await close(ref, producerId);
        if (!closed.ok) return closed;
        const opened = await allocating(ref, () => media.publish(ref));
        return opened.ok ? done({ ...opened.value, audioQuality }) : opened;
      }),
    connect: (ref, transportId, dtlsParameters) => ifSided(ref, () => media.connect(ref, transportId, dtlsParameters)),
    produce: (ref, transportId, rtpParameters) =>
      ifSided(ref, async ({ producerId }) => {
        if (producerId !== null) return refuse('already');
        const opened = await media.produce(ref, { transportId, rtpParameters });
        if (!opened.ok) return opened;
        const command = { type: 'open-microphone', by: ref, producerId: opened.value.producerId } as const;
        const committed = await calls.execute(ref.roomId, command);
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

const sideFor = async (
  { store }: Pick<CallMediaDependencies, 'store'>,
  { roomId, userId, sessionId }: SeatRef,
): Promise<Result<CallSide>> => {
  const loaded = await store.load(roomId);
  const side = loaded && sideOf(loaded.call, userId);
  if (!loaded || side?.sessionId !== sessionId) return refuse('stale');
  return loaded.call.throughSfu ? done(side) : refuse('forbidden');
};

const releaseUnlessHeld = async ({ store, media }: CallMediaDependencies, ref: SeatRef): Promise<void> => {
  const loaded = await store.load(ref.roomId);
  if (loaded) media.release(ref.roomId, ref.userId, sideOf(loaded.call, ref.userId)?.sessionId);
  // The call is over: what was made for it after its end would keep its media for ever.
  else media.closeRoom(ref.roomId);
};
