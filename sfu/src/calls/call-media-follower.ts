import type { RoomMediaState, SeatRef } from '../media/media-plane.ts';
import type { MediaControl } from '../rooms/media-control.ts';
import type { MediaOwner } from '../rooms/media-owners.ts';
import { microphoneOf } from '../rooms/media-state.ts';
import type { CallEvent } from '../rules/call/events.ts';
import { type CallState, sideOf } from '../rules/call/state.ts';
import type { CallStore } from '../state/call-store.ts';
import type { CallCommitted } from './call-engine.ts';
import type { Calls } from './calls.ts';

/** Voices of a call that has no better way: as good as a room's by default. */
export const callAudioQuality = 'medium' satisfies RoomMediaState['audioQuality'];

/** What media must follow of a call that the SFU carries. `version` is that of its record. */
export const callMediaStateOf = ({ callId, sides }: CallState, version: number): RoomMediaState => ({
  roomId: callId,
  version,
  audioQuality: callAudioQuality,
  stage: new Map(sides.map(({ userId, sessionId }) => [userId, { sessionId }])),
  microphones: new Map(
    sides.flatMap(({ userId, sessionId, producerId, producerNode }) =>
      producerId === null || producerNode === null
        ? []
        : [[userId, { userId, sessionId, producerId, muted: false, node: producerNode }] as const],
    ),
  ),
});

export type CallMediaFollower = {
  /** Makes the SFU's media what the call's state says. Calls that it does not carry are none of its business. */
  follow(committed: Pick<CallCommitted, 'after' | 'version' | 'events'>): void;
};

/** Media follows state: to the SFU a call that it carries is a room with two people on the stage (RD-4). */
export const createCallMediaFollower = (
  media: Pick<MediaControl, 'follow' | 'release' | 'moved' | 'close'>,
): CallMediaFollower => ({
  follow: ({ after: call, version, events }) => {
    const { callId } = call;
    if (!call.throughSfu) return;
    if (call.phase === 'ended') {
      media.close(callId);
      return;
    }
    for (const event of events) {
      // A device that lost the side to another one hears nothing more (ID-5).
      if (event.type === 'moved') media.release(callId, event.userId, event.to);
      if (event.type === 'relocated') media.moved(seatOf(call, event.userId), event.to);
    }
    if (events.some(({ type }) => concernsMedia.has(type))) media.follow(callMediaStateOf(call, version));
  },
});

const seatOf = (call: CallState, userId: string): SeatRef => ({
  roomId: call.callId,
  userId,
  sessionId: sideOf(call, userId)?.sessionId ?? '',
});

const concernsMedia: ReadonlySet<CallEvent['type']> = new Set([
  'sfu-chosen',
  'moved',
  'microphone-opened',
  'microphone-closed',
]);

export type CallMediaOwnerParts = {
  readonly calls: Pick<Calls, 'execute'>;
  readonly store: Pick<CallStore, 'load'>;
  readonly nodeId: string;
};

/** Calls as owners of media. */
export const callMediaOwner = ({ calls, store, nodeId }: CallMediaOwnerParts): MediaOwner => ({
  microphoneClosed: ({ roomId, userId }, producerId) =>
    calls.execute(roomId, { type: 'close-microphone', userId, producerId }),
  mediaLost: (roomId) => calls.execute(roomId, { type: 'lose-sfu-media', node: nodeId }),
  seat: async (roomId, userId) => {
    const loaded = await store.load(roomId);
    const side = loaded && sideOf(loaded.call, userId);
    return side && { sessionId: side.sessionId, node: side.node, microphone: microphoneOf(side) };
  },
  state: async (roomId) => {
    const loaded = await store.load(roomId);
    return loaded?.call.throughSfu ? callMediaStateOf(loaded.call, loaded.version) : undefined;
  },
});
