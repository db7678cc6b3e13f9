import type { MicrophoneState, RoomMediaState, SeatRef } from '../media/media-plane.ts';
import { type RoomControl, seatOf } from '../rules/room/state.ts';
import type { RoomStore } from '../state/room-store.ts';
import type { MediaOwner, MediaSeat } from './media-owners.ts';
import type { RoomEngine } from './room-engine.ts';

/** What media must follow (design: media follows state). `version` is that of the record. */
export const mediaStateOf = (control: RoomControl, version: number): RoomMediaState => ({
  roomId: control.roomId,
  version,
  audioQuality: control.settings.audioQuality,
  stage: new Map(control.stage.map((seat) => [seat.userId, { sessionId: seat.sessionId }])),
  microphones: new Map(
    control.stage.flatMap(({ userId, sessionId, producerId, producerNode, mute }): [string, MicrophoneState][] =>
      producerId === null || producerNode === null
        ? []
        : [[userId, { userId, sessionId, producerId, muted: mute !== null, node: producerNode }]],
    ),
  ),
});

/** Whether media has anything to follow in what changed. */
export const mediaDiffers = (before: RoomControl, after: RoomControl): boolean =>
  before.stage !== after.stage || before.settings.audioQuality !== after.settings.audioQuality;

/** A microphone as it is kept in a seat, or a side of a call. */
export const microphoneOf = ({
  producerId,
  producerNode,
}: {
  readonly producerId: string | null;
  readonly producerNode: string | null;
}): MediaSeat['microphone'] =>
  producerId === null || producerNode === null ? null : { producerId, node: producerNode };

type Parts = { readonly engine: RoomEngine; readonly store: Pick<RoomStore, 'load'>; readonly nodeId: string };

/** Rooms as owners of media. */
export const roomMediaOwner = ({ engine, store, nodeId }: Parts): MediaOwner => ({
  microphoneClosed: ({ roomId, userId }: SeatRef, producerId) =>
    engine.execute(roomId, { type: 'close-microphone', userId, producerId }),
  mediaLost: (roomId) => engine.execute(roomId, { type: 'lose-media', node: nodeId }),
  seat: async (roomId, userId) => {
    const loaded = await store.load(roomId, () => ({ users: [userId], standings: [] }));
    const seat = loaded && seatOf(loaded.state, userId);
    return seat && { sessionId: seat.sessionId, node: seat.node, microphone: microphoneOf(seat) };
  },
  state: async (roomId) => {
    const loaded = await store.load(roomId, () => ({ users: [], standings: [] }));
    return loaded?.state.control.status === 'active' ? mediaStateOf(loaded.state.control, loaded.version) : undefined;
  },
});
