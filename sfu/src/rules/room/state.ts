import type { UserKind } from '@rostrum/shared/protocol/rest.ts';
import type { EndReason, Hand, OpenInvitation, Role, RoomSettings } from '@rostrum/shared/protocol/room.ts';

/**
 * The state of a room. The control record is small and has everything that decides about roles; the audience (up to
 * 10,000 seats) and what is kept about people who may be outside (`standings`) are maps beside it, of which a command
 * sees only the entries that it touches. Times are milliseconds since the Unix epoch.
 */
export type RoomState = {
  readonly control: RoomControl;
  /** Seats of listeners that this command touches, by user. */
  readonly audience: ReadonlyMap<string, Seat>;
  /** How many listeners there are in all. */
  readonly audienceSize: number;
  /** Standings that this command touches, by `standingKey`. */
  readonly standings: ReadonlyMap<string, Standing>;
};

export type RoomControl = {
  readonly roomId: string;
  readonly settings: RoomSettings;
  readonly status: 'active' | 'ended';
  readonly createdAt: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly endReason: EndReason | null;
  /** When the room ends by itself (RM-3). */
  readonly endsAt: number;
  readonly endAnnounced: boolean;
  readonly hostId: string;
  /** Who gets the room back on return (RM-7). */
  readonly formerHost: { readonly userId: string; readonly until: number } | null;
  /** Since when the host is not inside, or inside without a connection. */
  readonly hostAbsentSince: number | null;
  readonly emptySince: number | null;
  /** Appointments, in the order they were made. They stand while the person is outside. */
  readonly moderators: readonly string[];
  /** Seats of host, moderators and speakers, in the order they came onto the stage. */
  readonly stage: readonly Seat[];
  readonly hands: readonly Hand[];
  readonly invitations: readonly OpenInvitation[];
  /** RM-10: whether arrivals and departures in the audience are sent one by one. */
  readonly audienceListed: boolean;
};

/** Who muted somebody on the stage (MO-1). */
export type Mute =
  | { readonly by: 'self' }
  | { readonly by: 'moderator'; readonly byName: string; readonly reason: string | null; readonly locked: boolean };

/** A person's seat: one in each room (ID-5). */
export type Seat = {
  readonly userId: string;
  readonly displayName: string;
  readonly kind: UserKind;
  readonly role: Role;
  readonly joinedAt: number;
  /** The session that holds the seat. */
  readonly sessionId: string;
  /** The node to which that session is connected, or was when its connection was lost. */
  readonly node: string;
  /** Since when its connection is lost (RE-2). */
  readonly awaySince: number | null;
  /** Since when on the stage; null for listeners. */
  readonly stageSince: number | null;
  /** The producer of the open microphone; null for listeners and before it is opened. */
  readonly producerId: string | null;
  /** The node at which that microphone's media ends; after a move it may be another one than the seat's, for a while. */
  readonly producerNode: string | null;
  readonly mute: Mute | null;
};

/** What is kept about a person in this room whether they are inside or not, or about a guest's traces. */
export type Standing = {
  /** Kicked or banned: no way back while the room lasts (MO-2), for traces until `until`. */
  readonly excluded?: { readonly userId: string; readonly banned: boolean; readonly until: number | null };
  /** HD-5 */
  readonly handRightWithdrawn?: true;
  /** A locked mute outlasts leaving and coming back (MO-1). */
  readonly lockedMute?: Mute & { by: 'moderator' };
  /** Returned to the audience by somebody else: `anyoneCanSpeak` does not put them back on the stage (RO-5). */
  readonly returnedToAudience?: true;
};

export const userKey = (userId: string): string => `user:${userId}`;
const addressKey = (addressHash: string): string => `address:${addressHash}`;
const deviceKey = (deviceId: string): string => `device:${deviceId}`;

/** A person who acts or is acted upon, with what a guest is known by besides their id. */
export type Person = {
  readonly userId: string;
  readonly displayName: string;
  readonly kind: UserKind;
  readonly addressHash?: string;
  readonly deviceId?: string;
};

/** The keys of the standings that concern a person: their id, and for guests their traces (MO-2). */
export const standingKeys = (person: Pick<Person, 'userId' | 'kind' | 'addressHash' | 'deviceId'>): string[] => [
  userKey(person.userId),
  ...(person.kind === 'guest' && person.addressHash !== undefined ? [addressKey(person.addressHash)] : []),
  ...(person.kind === 'guest' && person.deviceId !== undefined ? [deviceKey(person.deviceId)] : []),
];

export const seatOf = (state: RoomState, userId: string): Seat | undefined =>
  state.control.stage.find((seat) => seat.userId === userId) ?? state.audience.get(userId);

/** The role that somebody has, inside or (host and moderators) outside; undefined for anybody else outside. */
export const roleOf = (state: RoomState, userId: string): Role | undefined => {
  const seat = seatOf(state, userId);
  if (seat) return seat.role;
  if (state.control.hostId === userId) return 'host';
  return state.control.moderators.includes(userId) ? 'moderator' : undefined;
};

/** The former host, while they get the room back on return (RM-7). */
export const returningHost = ({ formerHost }: RoomControl, now: number): RoomControl['formerHost'] =>
  formerHost !== null && formerHost.until > now ? formerHost : null;

/** Whether a moderator's mute keeps this person from unmuting themselves; it does not bind a host, whom nobody moderates (MO-3). */
export const isLocked = (seat: Pick<Seat, 'role' | 'mute'>): boolean =>
  seat.mute?.by === 'moderator' && seat.mute.locked && seat.role !== 'host';

export const standingOf = (state: RoomState, userId: string): Standing => state.standings.get(userKey(userId)) ?? {};

export const speakerCount = (control: RoomControl): number =>
  control.stage.filter((seat) => seat.role === 'speaker').length;

export const stageIsFull = (control: RoomControl): boolean => speakerCount(control) >= control.settings.maxSpeakers;

export const peopleCount = (state: RoomState): number => state.control.stage.length + state.audienceSize;

/**
 * Whose room it is: the host who gets it back on return (RM-7), else the host. Bans are theirs, not those of whoever
 * stands in for them for a while (MO-2).
 */
export const ownerOf = (control: RoomControl, now: number): string =>
  returningHost(control, now)?.userId ?? control.hostId;
