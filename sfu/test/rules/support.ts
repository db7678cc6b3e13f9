import { isDeepStrictEqual } from 'node:util';
import type { ErrorCode } from '@rostrum/shared/errors.ts';
import { defaultLimits, type Limits, sizes } from '@rostrum/shared/limits.ts';
import type { UserKind } from '@rostrum/shared/protocol/rest.ts';
import type { Role, RoomChanges, RoomSettings, RoomView } from '@rostrum/shared/protocol/room.ts';
import type { RoomCommand } from '../../src/rules/room/commands.ts';
import { type DeadlineKey, deadlinesOf } from '../../src/rules/room/deadlines.ts';
import { decide } from '../../src/rules/room/decide.ts';
import type { RoomEvent, RoomEventOf } from '../../src/rules/room/events.ts';
import { evolve, openedRoom } from '../../src/rules/room/evolve.ts';
import { viewOf } from '../../src/rules/room/project.ts';
import { type Person, type RoomState, type Seat, seatOf } from '../../src/rules/room/state.ts';

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

/** The node to which people are connected unless it is said otherwise. */
export const homeNode = 'node a';

/** When every scenario begins. */
export const start = 1_700_000_000_000;

/** An id of the right form (SE-7) in which the name can still be read. */
export const idOf = (name: string): string => name.padEnd(22, '_');
export const nameOf = (id: string): string => id.replace(/_+$/, '');

const publicRoom: RoomSettings = {
  title: 'A room',
  description: '',
  type: 'public',
  category: 'other',
  language: 'en',
  tags: [],
  maxParticipants: sizes.defaultMaxParticipants,
  maxSpeakers: sizes.defaultMaxSpeakers,
  audioQuality: 'medium',
  permissions: { anyoneCanSpeak: false, allowRecording: false, allowHandRaise: true },
  privacy: { requireApproval: false, hideParticipants: false, allowInvites: true },
};

export const settingsWith = (changes: RoomChanges & Pick<Partial<RoomSettings>, 'type'>): RoomSettings => {
  const { permissions, privacy, ...fields } = changes;
  return {
    ...publicRoom,
    ...fields,
    permissions: { ...publicRoom.permissions, ...permissions },
    privacy: { ...publicRoom.privacy, ...privacy },
  } as RoomSettings;
};

export type About = {
  readonly kind?: UserKind;
  readonly session?: string;
  readonly node?: string;
  readonly address?: string;
  readonly device?: string;
  readonly bannedByHost?: boolean;
};

/** Thrown by a scenario's steps where the room refuses; `refusal` catches it. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, command: RoomCommand) {
    super(`${command.type} was refused: ${code}`);
    this.code = code;
  }
}

const personOf = (name: string, about: About): Person => ({
  userId: idOf(name),
  displayName: name,
  kind: about.kind ?? 'member',
  ...(about.address === undefined ? {} : { addressHash: about.address }),
  ...(about.device === undefined ? {} : { deviceId: about.device }),
});

/**
 * A room, everything about it loaded, and a clock that only moves when told. Each step must succeed and answers with the
 * scenario, so that a story reads from left to right; people go by their names, and `host` opened the room.
 */
export class Scenario {
  readonly limits: Limits;
  readonly events: RoomEvent[] = [];
  now = start;
  state: RoomState;
  #entries = 0;
  readonly #people = new Map<string, Person>();

  constructor(changes: Parameters<typeof settingsWith>[0] = {}, limits: Partial<Limits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    this.state = openedRoom({
      type: 'opened',
      at: start,
      roomId: idOf('room'),
      hostId: idOf('host'),
      settings: settingsWith(changes),
      endsAt: start + this.limits.roomLifetimeMs,
    });
  }

  // ——— Steps ———

  do(command: RoomCommand): this {
    this.#entries += 1;
    const decision = decide(this.state, command, {
      now: this.now,
      limits: this.limits,
      entryId: idOf(`entry${this.#entries}`),
    });
    if (!decision.ok) throw new Refused(decision.refusal.code, command);
    this.events.push(...decision.value);
    this.state = decision.value.reduce(evolve, this.state);
    return this;
  }

  /** The code that the step is refused with, or undefined where it succeeds. A refused step has changed nothing. */
  refusal(step: (room: this) => unknown): ErrorCode | undefined {
    const before = structuredClone(this.state);
    try {
      step(this);
      return undefined;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!isDeepStrictEqual(before, this.state)) throw new Error('A refusal changed the state', { cause: error });
      return error.code;
    }
  }

  join(name: string, about: About = {}): this {
    const known = this.#people.get(name);
    const person =
      known && Object.keys(about).every((key) => ['session', 'node', 'bannedByHost'].includes(key))
        ? known
        : personOf(name, about);
    this.#people.set(name, person);
    return this.do({
      type: 'join',
      person,
      sessionId: about.session ?? `${name}'s phone`,
      node: about.node ?? homeNode,
      bannedByHost: about.bannedByHost ?? false,
    });
  }

  /** Several people join as listeners, speakers or whatever the room makes of them. */
  joinAll(...names: string[]): this {
    for (const name of names) this.join(name);
    return this;
  }

  leave(name: string, session?: string): this {
    return this.do({ type: 'leave', by: { userId: idOf(name), sessionId: session } });
  }

  lose(name: string, session = `${name}'s phone`, node = homeNode): this {
    return this.do({ type: 'lose-connection', userId: idOf(name), sessionId: session, node });
  }

  raise(name: string, session?: string): this {
    return this.do({ type: 'raise-hand', by: { userId: idOf(name), sessionId: session } });
  }

  lower(name: string): this {
    return this.do({ type: 'lower-hand', by: { userId: idOf(name) } });
  }

  accept(by: string, name?: string): this {
    return this.do({ type: 'accept-hand', by: { userId: idOf(by) }, userId: name && idOf(name) });
  }

  decline(by: string, name?: string): this {
    return this.do({ type: 'decline-hand', by: { userId: idOf(by) }, userId: name && idOf(name) });
  }

  toFront(by: string, name: string): this {
    return this.do({ type: 'move-hand-to-front', by: { userId: idOf(by) }, userId: idOf(name) });
  }

  allowHand(by: string, name: string, allowed: boolean): this {
    return this.do({ type: 'allow-hand', by: { userId: idOf(by) }, subject: this.person(name), allowed });
  }

  invite(by: string, name: string): this {
    return this.do({ type: 'invite-to-speak', by: { userId: idOf(by) }, userId: idOf(name) });
  }

  answer(name: string, accept: boolean): this {
    return this.do({ type: 'answer-invitation', by: { userId: idOf(name) }, accept });
  }

  promote(by: string, name: string, role: 'speaker' | 'moderator'): this {
    return this.do({ type: 'promote', by: { userId: idOf(by) }, userId: idOf(name), role });
  }

  demote(by: string, name: string, role: 'speaker' | 'listener' = 'listener'): this {
    return this.do({ type: 'demote', by: { userId: idOf(by) }, userId: idOf(name), role });
  }

  muteSelf(name: string, muted = true): this {
    return this.do({ type: 'mute-self', by: { userId: idOf(name) }, muted });
  }

  mute(
    by: string,
    name: string,
    { locked = false, reason = null }: { locked?: boolean; reason?: string | null } = {},
  ): this {
    return this.do({ type: 'mute', by: { userId: idOf(by) }, userId: idOf(name), locked, reason });
  }

  muteAll(by: string, { locked = false, reason = null }: { locked?: boolean; reason?: string | null } = {}): this {
    return this.do({ type: 'mute-all', by: { userId: idOf(by) }, locked, reason });
  }

  kick(by: string, name: string, reason: string | null = null): this {
    return this.do({ type: 'exclude', by: { userId: idOf(by) }, subject: this.person(name), ban: false, reason });
  }

  ban(by: string, name: string, reason: string | null = null): this {
    return this.do({ type: 'exclude', by: { userId: idOf(by) }, subject: this.person(name), ban: true, reason });
  }

  unban(by: string, name: string): this {
    return this.do({ type: 'unban', by: { userId: idOf(by) }, subject: this.person(name) });
  }

  update(by: string, changes: RoomChanges): this {
    return this.do({ type: 'update', by: { userId: idOf(by) }, changes });
  }

  handOver(by: string, name: string): this {
    return this.do({ type: 'hand-over', by: { userId: idOf(by) }, userId: idOf(name) });
  }

  openMicrophone(name: string, session?: string, node = homeNode): this {
    return this.do({
      type: 'open-microphone',
      by: { userId: idOf(name), sessionId: session },
      producerId: `${name}'s microphone${node === homeNode ? '' : ` at ${node}`}`,
      node,
    });
  }

  end(by: string): this {
    return this.do({ type: 'end', by: { userId: idOf(by) } });
  }

  /** People who listen come onto the stage as speakers: they raise a hand and the host accepts it. */
  speakers(...names: string[]): this {
    for (const name of names) this.join(name).raise(name).accept('host', name);
    return this;
  }

  /** People join, and the host appoints them. */
  moderators(...names: string[]): this {
    for (const name of names) this.join(name).promote('host', name, 'moderator');
    return this;
  }

  // ——— Time ———

  /** Moves the clock, and nothing else: whoever looks after deadlines is late. */
  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  elapse(deadline: DeadlineKey): this {
    return this.do({ type: 'elapse', deadline });
  }

  /** Moves the clock, and has every deadline on the way carried out at its time. */
  pass(ms: number): this {
    const until = this.now + ms;
    for (let next = this.#earliest(); next && next.at <= until; next = this.#earliest()) {
      this.now = Math.max(this.now, next.at);
      this.elapse(next.key);
      if (this.deadlines.get(next.key) === next.at) throw new Error(`${next.key} is due for ever`);
    }
    this.now = until;
    return this;
  }

  #earliest(): { key: DeadlineKey; at: number } | undefined {
    return [...deadlinesOf(this.state, this.limits)]
      .map(([key, at]) => ({ key, at }))
      .toSorted((one, other) => one.at - other.at)[0];
  }

  // ——— What is there ———

  person(name: string): Person {
    return this.#people.get(name) ?? personOf(name, {});
  }

  seat(name: string): Seat | undefined {
    return seatOf(this.state, idOf(name));
  }

  /** The role of somebody inside. */
  role(name: string): Role | undefined {
    return this.seat(name)?.role;
  }

  get host(): string {
    return nameOf(this.state.control.hostId);
  }

  get hands(): string[] {
    return this.state.control.hands.map(({ userId }) => nameOf(userId));
  }

  get invited(): string[] {
    return this.state.control.invitations.map(({ userId }) => nameOf(userId));
  }

  get onStage(): string[] {
    return this.state.control.stage.map(({ userId }) => nameOf(userId));
  }

  get listeners(): string[] {
    return [...this.state.audience.keys()].map(nameOf);
  }

  get endReason(): string | null {
    return this.state.control.endReason;
  }

  get deadlines(): ReadonlyMap<DeadlineKey, number> {
    return deadlinesOf(this.state, this.limits);
  }

  all<Type extends RoomEvent['type']>(type: Type): RoomEventOf<Type>[] {
    return this.events.filter((event): event is RoomEventOf<Type> => event.type === type);
  }

  last<Type extends RoomEvent['type']>(type: Type): RoomEventOf<Type> | undefined {
    return this.all(type).at(-1);
  }

  /** What this person sees. */
  view(name: string): RoomView {
    const seat = this.seat(name);
    if (!seat) throw new Error(`${name} is not in the room`);
    return viewOf(this.state, seat, [...this.state.audience.values()], {
      room: 0,
      stage: 0,
      staff: 0,
      self: new Map(),
    });
  }
}

/** A room that the host opened and has not entered yet. */
export const emptyRoom = (...options: ConstructorParameters<typeof Scenario>): Scenario => new Scenario(...options);

/** A room with its host inside. */
export const scenario = (...options: ConstructorParameters<typeof Scenario>): Scenario =>
  new Scenario(...options).join('host');
