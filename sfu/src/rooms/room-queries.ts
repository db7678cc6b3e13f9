import type { Limits } from '@rostrum/shared/limits.ts';
import { sizes } from '@rostrum/shared/limits.ts';
import type { RoomCard, RoomList } from '@rostrum/shared/protocol/rest.ts';
import type { ModerationEntry, Participant, Role, RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { mayAct, seesAudience } from '@rostrum/shared/room/permissions.ts';
import type { Records } from '../records/records.ts';
import { admit, mayKnow } from '../rules/room/decide/membership.ts';
import { infoOf, participantOf } from '../rules/room/project.ts';
import {
  ownerOf,
  type Person,
  type RoomControl,
  type RoomState,
  roleOf,
  type Seat,
  seatOf,
  standingKeys,
} from '../rules/room/state.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ListPosition, RoomStore } from '../state/room-store.ts';

export type RoomQueries = {
  /** Whether this person has a seat in the room, connected or kept for them. */
  hasSeat(roomId: string, userId: string): Promise<boolean>;
  /** What this person has of the room: a seat, connected or kept; else no more than the right to know of it (SE-8), or not even that. */
  knows(roomId: string, viewer: NonNullable<Viewer>): Promise<'seat' | 'room' | undefined>;
  /** The role of the seat that this person has; undefined for none. */
  roleOf(roomId: string, userId: string): Promise<Role | undefined>;
  /** Active public rooms, newest first, in pages. A cursor that is not ours is `invalid`. */
  list(options: {
    limit: number;
    cursor?: string | undefined;
    category?: RoomSettings['category'];
  }): Promise<Result<RoomList>>;
  get(roomId: string, viewer: Viewer): Promise<Result<RoomCard>>;
  /** The people of a room whom this person may see: the stage first, then the audience in order of arrival (RM-6, RM-10). */
  participants(
    roomId: string,
    viewer: Viewer,
    options: PageOptions,
  ): Promise<Result<{ participants: Participant[]; total: number; page: number }>>;
  /** The moderation log of a room that goes on or has ended, for its host and moderators (MO-4). */
  moderationLog(roomId: string, viewer: Viewer): Promise<Result<{ entries: ModerationEntry[] }>>;
  /** Whether this person may join now, and as what, without taking a seat. */
  joinAnswer(roomId: string, person: Person): Promise<Result<{ role: Role }>>;
};

/** Who asks; undefined for somebody who is not signed in. */
export type Viewer = Pick<Person, 'userId' | 'kind'> | undefined;
export type PageOptions = {
  readonly page: number;
  readonly limit: number;
  readonly query?: string | undefined;
  readonly role?: 'listener' | undefined;
};

type Dependencies = {
  readonly store: RoomStore;
  readonly records: Records;
  readonly clock: Clock;
  readonly limits: Limits;
};

/** What is read of rooms without changing them. */
export const createRoomQueries = (dependencies: Dependencies): RoomQueries => ({
  hasSeat: async (roomId, userId) => (await seatIn(dependencies.store, roomId, userId)) !== undefined,
  knows: (roomId, viewer) => knows(dependencies.store, roomId, viewer),
  roleOf: async (roomId, userId) => (await seatIn(dependencies.store, roomId, userId))?.role,
  list: (options) => list(dependencies.store, options),
  get: async (roomId, viewer) => {
    const known = await knownRoom(dependencies.store, roomId, viewer);
    return known.ok ? done(cardOf(known.value.control, known.value.audienceSize)) : known;
  },
  participants: (roomId, viewer, options) => participants(dependencies.store, roomId, viewer, options),
  moderationLog: (roomId, viewer) => moderationLog(dependencies, roomId, viewer),
  joinAnswer: (roomId, person) => joinAnswer(dependencies, roomId, person),
});

const seatIn = async (store: RoomStore, roomId: string, userId: string): Promise<Seat | undefined> => {
  const loaded = await store.load(roomId, () => ({ users: [userId], standings: [] }));
  return loaded && seatOf(loaded.state, userId);
};

const knows: (store: RoomStore, ...asked: Parameters<RoomQueries['knows']>) => ReturnType<RoomQueries['knows']> =
  async (store, roomId, viewer) => {
    const loaded = await store.load(roomId, () => ({ users: [viewer.userId], standings: [] }));
    if (!loaded) return undefined;
    if (seatOf(loaded.state, viewer.userId)) return 'seat';
    return mayKnow(loaded.state, viewer) ? 'room' : undefined;
  };

const nobody = { userId: '', kind: 'guest' } as const;

/** The room, for somebody who may know of it; for others `not_found` (SE-8). */
const knownRoom = async (store: RoomStore, roomId: string, viewer: Viewer): Promise<Result<RoomState>> => {
  const loaded = await store.load(roomId, () => ({ users: viewer ? [viewer.userId] : [], standings: [] }));
  return loaded && mayKnow(loaded.state, viewer ?? nobody) ? done(loaded.state) : refuse('not_found');
};

const cardOf = (control: RoomControl, audienceSize: number): RoomCard => ({
  ...infoOf(control),
  faces: control.stage.slice(0, sizes.facesOnCard).map(({ userId, displayName }) => ({ userId, displayName })),
  stageCount: control.stage.length,
  listenerCount: audienceSize,
});

const list = async (store: RoomStore, options: Parameters<RoomQueries['list']>[0]): Promise<Result<RoomList>> => {
  const before = options.cursor === undefined ? undefined : positionOf(options.cursor);
  if (options.cursor !== undefined && !before) return refuse('invalid', { path: 'cursor' });
  const found = await store.list({
    // One more than the page, to know whether another page follows.
    limit: options.limit + 1,
    ...(before ? { before } : {}),
    only: ({ settings }) =>
      settings.type === 'public' && (options.category === undefined || settings.category === options.category),
  });
  const page = found.slice(0, options.limit);
  const last = found.length > page.length ? page.at(-1) : undefined;
  return done({
    rooms: page.map(({ control, audienceSize }) => cardOf(control, audienceSize)),
    nextCursor: last ? `${last.control.createdAt}.${last.control.roomId}` : null,
  });
};

const positionOf = (cursor: string): ListPosition | undefined => {
  const match = /^(\d{1,16})\.([\w-]{22})$/.exec(cursor);
  const [, createdAt, roomId] = match ?? [];
  return createdAt !== undefined && roomId !== undefined ? { createdAt: Number(createdAt), roomId } : undefined;
};

const participants = async (store: RoomStore, roomId: string, viewer: Viewer, options: PageOptions) => {
  const known = await knownRoom(store, roomId, viewer);
  if (!known.ok) return known;
  const { control } = known.value;
  const role = viewer && seatOf(known.value, viewer.userId)?.role;
  const wanted = options.query?.toLowerCase() ?? '';
  const staged = options.role === 'listener' ? [] : control.stage;
  const stage = staged.filter((seat) => seat.displayName.toLowerCase().includes(wanted));
  const offset = (options.page - 1) * options.limit;
  const onPage = stage.slice(offset, offset + options.limit);
  const audience = seesAudience(role ?? 'listener', control.settings)
    ? await store.audiencePage(roomId, {
        offset: Math.max(0, offset - stage.length),
        limit: options.limit - onPage.length,
        ...(options.query ? { query: options.query } : {}),
      })
    : { seats: [], total: 0 };
  return done({
    participants: [...onPage, ...audience.seats].map(participantOf),
    total: stage.length + audience.total,
    page: options.page,
  });
};

const moderationLog = async (
  { store, records }: Dependencies,
  roomId: string,
  viewer: Viewer,
): Promise<Result<{ entries: ModerationEntry[] }>> => {
  if (!viewer) return refuse('unauthorized');
  const loaded = await store.load(roomId, () => ({ users: [viewer.userId], standings: [] }));
  const role = loaded ? roleOf(loaded.state, viewer.userId) : await lastRole(records, roomId, viewer.userId);
  if (viewer.kind !== 'admin' && (role === undefined || !mayAct('see-moderation', role))) {
    return refuse(loaded && mayKnow(loaded.state, viewer) ? 'forbidden' : 'not_found');
  }
  return done({ entries: await records.moderation.list(roomId, { limit: sizes.pageMax }) });
};

/** After its end a room's log is shown to its last host; appointments of moderators end with the room. */
const lastRole = async (records: Records, roomId: string, userId: string): Promise<Role | undefined> =>
  (await records.rooms.get(roomId))?.hostId === userId ? 'host' : undefined;

const joinAnswer = async (
  { store, records, clock, limits }: Dependencies,
  roomId: string,
  person: Person,
): Promise<Result<{ role: Role }>> => {
  const loaded = await store.load(roomId, () => ({ users: [person.userId], standings: standingKeys(person) }));
  if (!loaded) return refuse('not_found');
  const seat = seatOf(loaded.state, person.userId);
  if (seat) return done({ role: seat.role });
  const { addressHash, deviceId } = person;
  const traces = {
    ...(addressHash === undefined ? {} : { addressHash }),
    ...(deviceId === undefined ? {} : { deviceId }),
  };
  const banned = await records.bans.find(
    ownerOf(loaded.state.control, clock.now()),
    { userId: person.userId, ...(person.kind === 'guest' ? { traces } : {}) },
    clock.now(),
  );
  const admission = admit(
    loaded.state,
    { person, bannedByHost: banned !== undefined },
    { now: clock.now(), limits, entryId: '' },
  );
  return admission.ok ? done({ role: admission.role }) : admission;
};
