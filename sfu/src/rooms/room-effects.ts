import type { Limits } from '@rostrum/shared/limits.ts';
import type { Records } from '../records/records.ts';
import type { RoomEvent, RoomEventOf } from '../rules/room/events.ts';
import { movedHands, viewOf } from '../rules/room/project.ts';
import { ownerOf, type RoomControl, seatOf } from '../rules/room/state.ts';
import type { Logger } from '../runtime/logger.ts';
import type { RoomStore } from '../state/room-store.ts';
import type { AudienceCounter } from './audience-counter.ts';
import type { MediaControl } from './media-control.ts';
import { mediaDiffers, mediaStateOf } from './media-state.ts';
import type { RoomPublisher } from './ports.ts';
import type { Committed } from './room-engine.ts';

export type EffectDependencies = {
  readonly store: RoomStore;
  readonly records: Records;
  readonly media: MediaControl;
  readonly publisher: RoomPublisher;
  readonly counter: AudienceCounter;
  readonly limits: Limits;
  readonly logger: Logger;
};

/** What follows a commit, in this order: records that must outlive us, events to people, farewells, media. */
export const createRoomEffects =
  (dependencies: EffectDependencies) =>
  async (committed: Committed): Promise<void> => {
    const { publisher, counter, media } = dependencies;
    const { roomId, before, after, events, viewEvents } = committed;
    await keepRecords(dependencies, committed);
    publisher.publish(roomId, viewEvents);
    for (const { userId, position } of movedHands(before.control, after.control)) {
      publisher.toSeat(roomId, userId, 'room:hand-position', { roomId, position });
    }
    for (const event of events) farewell(dependencies, event, committed);
    await refreshViews(dependencies, committed);
    if (after.control.status === 'ended') return endRoom(dependencies, after.control);
    if (after.audienceSize !== before.audienceSize) counter.changed(after.control, after.audienceSize);
    if (mediaDiffers(before.control, after.control)) media.follow(mediaStateOf(after.control, committed.version));
  };

/** Tells people who were removed, and takes the room away from sessions that no longer sit in it. */
const farewell = (dependencies: EffectDependencies, event: RoomEvent, { roomId, before, events }: Committed): void => {
  const { publisher, media } = dependencies;
  if (event.type === 'seat-relocated') {
    const { userId } = event;
    const sessionId = seatOf(before, userId)?.sessionId;
    if (sessionId !== undefined) media.moved({ roomId, userId, sessionId }, event.to);
  }
  if (event.type === 'seat-moved') {
    publisher.expel(
      roomId,
      { userId: event.userId, sessionId: event.from },
      { name: 'room:joined-elsewhere', payload: { roomId } },
    );
    media.release(roomId, event.userId, event.to);
  }
  if (event.type !== 'left') return;
  const exclusion = events.find(
    (other): other is RoomEventOf<'excluded'> => other.type === 'excluded' && other.subject.userId === event.userId,
  );
  const sessionId = seatOf(before, event.userId)?.sessionId;
  publisher.expel(
    roomId,
    sessionId === undefined ? { userId: event.userId } : { userId: event.userId, sessionId },
    exclusion && {
      name: 'room:kicked',
      payload: { roomId, banned: exclusion.banned, byName: exclusion.byName, reason: exclusion.reason },
    },
  );
  media.release(roomId, event.userId);
};

/** Whoever changed role sees other views now: they are told all of it anew. */
const refreshViews = async (dependencies: EffectDependencies, { roomId, after, events }: Committed): Promise<void> => {
  const { store, publisher, limits } = dependencies;
  const changed = new Set(events.flatMap((event) => (event.type === 'role-changed' ? [event.userId] : [])));
  const seats = [...changed].flatMap((userId) => seatOf(after, userId) ?? []);
  if (seats.length === 0) return;
  const snapshot = await store.snapshot(roomId, {
    most: limits.audienceListedMax + 1,
    userIds: seats.map((seat) => seat.userId),
  });
  if (!snapshot) return;
  for (const seat of seats) {
    publisher.enter(roomId, seat);
    publisher.toSeat(roomId, seat.userId, 'room:state', {
      roomId,
      state: viewOf(snapshot.state, seat, snapshot.listed, snapshot.sequences),
    });
  }
};

const endRoom = async (dependencies: EffectDependencies, control: RoomControl): Promise<void> => {
  const { publisher, media, store, counter } = dependencies;
  const { roomId } = control;
  publisher.toRoom(roomId, 'room:ended', { roomId, reason: control.endReason ?? 'host-ended' });
  publisher.close(roomId);
  counter.forget(roomId);
  media.close(roomId);
  await store.remove(roomId);
};

/**
 * Bans, the moderation log and the end of a room are durable before anybody is told. A record store that fails must not
 * undo what the rule decided and the commit did, so that is logged, and the room goes on (RE-4).
 */
const keepRecords = async (dependencies: EffectDependencies, committed: Committed): Promise<void> => {
  // Asked for together the writes share one commit, and one that fails takes no other with it.
  for (const written of await Promise.allSettled(recordsOf(dependencies.records, committed))) {
    if (written.status === 'fulfilled') continue;
    const { roomId } = committed;
    dependencies.logger.error({ err: written.reason, roomId }, 'a record of a room could not be written');
  }
};

const recordsOf = (records: Records, { roomId, before, after, events }: Committed): Promise<void>[] => {
  const { control } = after;
  const writes: Promise<void>[] = [];
  for (const event of events) {
    const owner = ownerOf(before.control, event.at);
    if (event.type === 'excluded' && event.banned) writes.push(records.bans.put(banOf(event, owner)));
    if (event.type === 'readmitted') writes.push(records.bans.remove(owner, event.subject.userId));
    if (event.type === 'moderated')
      writes.push(records.moderation.append(roomId, before.control.hostId, [event.entry]));
    if (event.type === 'ended') writes.push(records.rooms.end(roomId, event.at, event.reason));
  }
  const change = {
    ...(control.settings === before.control.settings ? {} : { settings: control.settings }),
    ...(control.hostId === before.control.hostId ? {} : { hostId: control.hostId }),
  };
  if (Object.keys(change).length > 0) writes.push(records.rooms.update(roomId, change));
  return writes;
};

const banOf = (event: RoomEventOf<'excluded'>, hostId: string) => {
  const { subject, tracesUntil } = event;
  const traces = {
    ...(subject.addressHash === undefined ? {} : { addressHash: subject.addressHash }),
    ...(subject.deviceId === undefined ? {} : { deviceId: subject.deviceId }),
  };
  return {
    hostId,
    userId: subject.userId,
    displayName: subject.displayName,
    byId: event.byId,
    reason: event.reason,
    at: event.at,
    ...(tracesUntil === null ? {} : { traces: { ...traces, until: tracesUntil } }),
  };
};
