import { ageRanges, genders, type RandomState, type Search, searchSchema } from '@rostrum/shared/protocol/random.ts';
import type { Plan } from '@rostrum/shared/protocol/rest.ts';
import type { Result } from '@rostrum/shared/result.ts';
import type { SideCommand } from '../../src/calls/calls.ts';
import type { Caller } from '../../src/rules/call/commands.ts';
import type { Ticket } from '../../src/rules/matching/ticket.ts';
import type { Chance } from './matching-simulation-chance.ts';
import type { Told, UseCases, World } from './matching-simulation-world.ts';

/** Where a page believes to be, by what it was told. */
export type View =
  | { readonly at: 'idle' }
  | { readonly at: 'queue' }
  | { readonly at: 'call'; readonly callId: string };

/** A page that somebody has open. */
export type Device = {
  readonly sessionId: string;
  view: View;
  /** How often it was told to go somewhere else. */
  moves: number;
  /** It was cut off, and does not know yet what it missed. */
  isLost: boolean;
};

const second = 1000;
const idle: View = { at: 'idle' };
const queued: View = { at: 'queue' };

const randomSearch = (chance: Chance): Search => {
  const filters = {
    minReputation: chance.is(0.04) ? 60 : null,
    genders: chance.is(0.05) ? [chance.pick(genders)] : null,
    ageRanges: chance.is(0.05) ? chance.some(ageRanges, 2) : null,
  };
  return searchSchema.parse({
    mode: chance.weighted({ voice: 70, video: 25, text: 5 }),
    languages: chance.some(['en', 'de', 'es', 'fr', 'vi', 'pt'], chance.between(0, 3)),
    preferLanguages: chance.is(0.3),
    interests: chance.some(['chess', 'jazz', 'film', 'go'], chance.between(0, 2)),
    region: chance.is(0.5) ? chance.pick(['DE', 'VN', 'BR']) : null,
    about: {
      gender: chance.is(0.7) ? chance.pick(genders) : null,
      ageRange: chance.is(0.7) ? chance.pick(ageRanges) : null,
    },
    filters,
  });
};

/** What is said to somebody who asks for what is over just now: no fault of theirs, and nothing happened. */
const harmless: readonly string[] = ['stale'];

/** Somebody who makes random calls, does what people do, and believes what they are told. */
export class Person {
  readonly userId: string;
  readonly displayName: string;
  readonly #plan: Plan;
  readonly #search: Search;
  readonly #world: World;
  readonly #nodes: readonly [UseCases, ...UseCases[]];
  /** What the server does for them: that of the node to which they are connected. */
  #does: UseCases;
  device: Device;
  /** `crashed`: nothing reaches them, which the server may not know yet. */
  state: 'outside' | 'here' | 'crashed' | 'gone' = 'outside';
  /** When they do something next. */
  nextAt: number;
  #talksLeft: number;
  #partnerId = '';
  #linked = false;
  /** Has asked for a search, without an answer yet. */
  #starts = false;
  /** While crashed: when the server notices it, and when they come back. */
  #noticedAt = Number.POSITIVE_INFINITY;
  #returnsAt = Number.POSITIVE_INFINITY;
  /** The ticket that they had when their loss was noted. */
  #kept: Ticket | undefined;

  constructor(
    world: World,
    nodes: readonly [UseCases, ...UseCases[]],
    { name, arrivesAt }: { name: string; arrivesAt: number },
  ) {
    const { chance } = world;
    this.#world = world;
    this.#nodes = nodes;
    this.#does = chance.pick(nodes);
    this.userId = world.newId();
    this.displayName = name;
    this.#plan = chance.is(0.2) ? 'premium' : 'free';
    this.#search = randomSearch(chance);
    this.device = this.#newDevice();
    this.nextAt = arrivesAt;
    this.#talksLeft = chance.between(1, 5);
  }

  /** They make no more calls after this one. */
  tire(): void {
    this.#talksLeft = 0;
  }

  // ——— What they are told ———

  hear(device: Device, { name, payload }: Told): void {
    if (this.state === 'crashed' && device === this.device) return;
    switch (name) {
      case 'random:queued':
        this.#goes(device, ['idle', 'queue'], queued);
        break;
      case 'random:dequeued':
        this.#note(`dequeued: ${payload.reason}`);
        this.#goes(device, ['queue'], idle);
        break;
      case 'random:match_instant':
        this.#note('matched');
        this.#world.oracle.told(this.userId, payload);
        this.#partnerId = payload.partner.id;
        this.#linked = false;
        // Whoever is found while they get into the queue hears of nothing else first.
        this.#goes(device, this.#starts ? ['idle', 'queue'] : ['queue'], { at: 'call', callId: payload.sessionId });
        break;
      case 'random:connection_timeout':
      case 'random:call_ended':
        this.#hasItsCall(device, name, payload.sessionId);
        this.#goes(device, ['call'], payload.requeued ? queued : idle);
        break;
      case 'random:joined_elsewhere':
        this.#hasItsCall(device, name, payload.sessionId);
        this.#goes(device, ['call'], idle);
        break;
      case 'random:connected':
      case 'random:partner_disconnected':
      case 'random:partner_returned':
      case 'random:idle_check':
        this.#note(name);
        this.#hasItsCall(device, name, payload.sessionId);
        break;
      case 'random:chat':
        // May cross the end of the call; a page looks at whose it is (RD-14).
        break;
      default:
        this.#world.oracle.check(false, 'nobody asked for that', () => ({ name, payload }));
        break;
    }
  }

  #goes(device: Device, from: readonly View['at'][], to: View): void {
    device.moves += 1;
    this.#world.oracle.check(
      device.isLost || from.includes(device.view.at),
      'somebody was told what does not follow',
      () => ({
        userId: this.userId,
        from: device.view,
        to,
      }),
    );
    this.#sees(device, to);
  }

  #hasItsCall({ view, isLost }: Device, name: string, callId: string): void {
    const isItsCall = isLost || (view.at === 'call' && view.callId === callId);
    this.#world.oracle.check(isItsCall, 'RD-14: told of a call that is not theirs', () => ({
      userId: this.userId,
      name,
      view,
      callId,
    }));
  }

  #sees(device: Device, view: View): void {
    device.view = view;
    if (device !== this.device) return;
    const { chance, clock } = this.#world;
    const waits: Record<View['at'], () => number> = {
      idle: () => (chance.is(0.3) ? 0 : chance.exponential(2 * second)),
      queue: () => chance.exponential(60 * second),
      call: () => chance.between(100, 4 * second),
    };
    this.nextAt = clock.now() + waits[view.at]();
  }

  /** An answer says how things stood; what was heard while it was under way is later. */
  #believes(device: Device, moves: number, state: RandomState): void {
    if (device.moves !== moves) return;
    const views: Record<RandomState['state'], View> = { idle, queued, call: idle };
    this.#sees(device, state.state === 'call' ? { at: 'call', callId: state.match.sessionId } : views[state.state]);
    if (state.state === 'call') this.#partnerId = state.match.partner.id;
  }

  // ——— What they do ———

  async act(): Promise<void> {
    // Until what follows from this says otherwise.
    this.nextAt = this.#world.clock.now() + 5 * second;
    if (this.state === 'crashed') return this.#afterCrash();
    if (this.state === 'outside') this.#arrive();
    if (this.device.view.at === 'idle') return this.#whenIdle();
    return this.device.view.at === 'queue' ? this.#whenWaiting() : this.#inCall(this.device.view.callId);
  }

  #arrive(): void {
    this.state = 'here';
    this.#world.connect(this.device.sessionId);
  }

  async #whenIdle(): Promise<void> {
    if (this.#talksLeft <= 0) return this.#leave();
    this.#talksLeft -= 1;
    if (this.#world.chance.is(0.03)) return this.#otherDevice();
    return this.#start(this.device);
  }

  async #whenWaiting(): Promise<void> {
    switch (this.#world.chance.weighted({ cancel: 35, crash: 30, leave: 15, device: 10, again: 10 })) {
      case 'cancel': {
        this.#note('cancel');
        const { device } = this;
        const { moves } = device;
        await this.#does.searches.cancel(this.#caller(), 'cancelled');
        // Nothing is told of what one asked for oneself; who was matched just before was told of that.
        if (device.moves === moves) this.#sees(device, idle);
        return undefined;
      }
      case 'crash':
        return this.#crash();
      case 'leave':
        return this.#leave();
      case 'device':
        return this.#otherDevice();
      case 'again':
        return this.#start(this.device);
    }
  }

  async #inCall(callId: string): Promise<void> {
    const { chance } = this.#world;
    if (this.#linked || chance.is(0.2)) return this.#goOn(callId);
    // They hear each other, or wait for the time in which they should have.
    if (this.#search.mode === 'text' || !this.#world.canConnect(callId)) {
      this.#linked = true;
      return undefined;
    }
    await this.#command(callId, { type: 'connected', route: 'p2p_udp' });
    this.#linked = true;
    this.nextAt = this.#world.clock.now() + chance.exponential(8 * second);
  }

  async #goOn(callId: string): Promise<void> {
    switch (
      this.#world.chance.weighted({ next: 45, end: 15, block: 8, crash: 10, leave: 5, media: 5, device: 2, stay: 10 })
    ) {
      case 'next':
        return this.#next(callId);
      case 'end':
        this.#note('end');
        return this.#answered(await this.#does.aftermath.end(this.#caller(), callId, {}));
      case 'block':
        return this.#block(callId);
      case 'crash':
        return this.#crash();
      case 'leave':
        return this.#leave();
      case 'media':
        if (this.#search.mode !== 'text') await this.#command(callId, { type: 'lose-media' });
        this.#linked = false;
        return undefined;
      case 'device':
        return this.#otherDevice();
      case 'stay':
        await this.#does.calls.chat(this.#caller(), callId, 'hello');
        return undefined;
    }
  }

  async #command(callId: string, command: SideCommand): Promise<void> {
    this.#answered(await this.#does.calls.execute(callId, { ...command, by: this.#caller() }));
  }

  async #start(device: Device): Promise<void> {
    const { moves } = device;
    const person = { ...this.#caller(), displayName: this.displayName, kind: 'guest', plan: this.#plan } as const;
    this.#starts = true;
    const started = await this.#one(() => this.#does.randomCalls.start(person, this.#search, { leaveRoom: false }));
    this.#starts = false;
    this.#answered(started);
    if (started.ok) this.#believes(device, moves, started.value);
  }

  async #next(callId: string): Promise<void> {
    this.#note('next');
    const next = await this.#one(() => this.#does.randomCalls.next(this.#caller(), callId));
    this.#answered(next);
    // The next one may be over as well by now, where nothing has to be connected first.
    const mayBeOver = this.state !== 'here' || this.#search.mode === 'text';
    const goesOn = !next.ok || mayBeOver || next.value.state !== 'idle';
    this.#world.oracle.check(goesOn, 'RD-6: pressed "next" and does not wait', () => ({ userId: this.userId, next }));
  }

  async #block(callId: string): Promise<void> {
    this.#note('block');
    const { aftermath } = this.#does;
    const partnerId = this.#partnerId;
    const block = async (): Promise<void> => {
      const blocked = await aftermath.block(this.#caller(), callId);
      this.#answered(blocked);
      if (blocked.ok) this.#world.oracle.blocked(this.userId, partnerId);
    };
    if (this.#world.chance.is(0.6)) return block();
    // Thinks of it when the call is over, while the search for the next one begins.
    this.#answered(await aftermath.end(this.#caller(), callId, {}));
    if (this.device.view.at === 'idle') await Promise.all([block(), this.#start(this.device)]);
  }

  /** The search goes on, or the call, on another device; the first one is told, and closed (ID-5). */
  async #otherDevice(): Promise<void> {
    this.#note('another device');
    const before = this.device;
    const nodeBefore = this.#does;
    this.device = this.#newDevice();
    this.#does = this.#world.chance.pick(this.#nodes);
    this.#world.connect(this.device.sessionId);
    // It is told of a call that is under way before it knows which that is.
    this.device.isLost = true;
    const isHasty = this.#world.chance.is(0.2);
    if (isHasty) this.state = 'gone';
    await Promise.all([this.#start(this.device), isHasty && this.#lose(this.device)]);
    this.device.isLost = false;
    this.#world.oracle.check(
      before.view.at === 'idle',
      'ID-5: a device was not told that another one has taken over',
      () => ({
        userId: this.userId,
        view: before.view,
      }),
    );
    await this.#lose(before, nodeBefore);
  }

  async #leave(): Promise<void> {
    const { view } = this.device;
    // Some ask for somebody else, and close the page before it is answered.
    const isHasty = this.#world.chance.is(0.3);
    const asked = isHasty && (view.at === 'call' ? this.#next(view.callId) : this.#start(this.device));
    this.state = 'gone';
    this.#note('leave');
    await Promise.all([asked, this.#lose(this.device)]);
  }

  #crash(): void {
    const { chance, clock } = this.#world;
    this.#note('crash');
    this.state = 'crashed';
    this.#noticedAt = clock.now() + chance.between(0, 6 * second);
    this.#returnsAt = chance.is(0.65) ? clock.now() + chance.exponential(7 * second) : Number.POSITIVE_INFINITY;
    this.nextAt = Math.min(this.#noticedAt, this.#returnsAt);
  }

  async #afterCrash(): Promise<void> {
    if (this.#world.clock.now() >= this.#returnsAt) return this.#comeBack();
    this.#noticedAt = Number.POSITIVE_INFINITY;
    this.nextAt = this.#returnsAt;
    this.#note('crash noticed');
    if (this.#returnsAt === Number.POSITIVE_INFINITY) this.state = 'gone';
    await this.#lose(this.device);
    const ticket = this.#world.oracle.tickets.get(this.userId);
    this.#kept = ticket?.awaySince === null ? undefined : ticket;
  }

  /** As a page whose socket is back: it asks where it stands. */
  async #comeBack(): Promise<void> {
    const { connected, oracle } = this.#world;
    const { device } = this;
    const kept = this.#mustStillWait();
    const nodeBefore = this.#does;
    this.#note('back');
    this.state = 'here';
    device.isLost = true;
    // The new connection takes the place of one that the server believed alive, and notes that it was lost.
    if (connected.has(device.sessionId)) await this.#does.calls.lose(this.#caller(), this.#does.nodeId);
    else this.#does = this.#world.chance.pick(this.#nodes);
    this.#world.connect(device.sessionId);
    const { moves } = device;
    const state = await this.#does.calls.sync(this.#caller());
    // The node before notices late that it lost them: that is nothing to where they are now (RE-3).
    if (nodeBefore !== this.#does) await this.#lateLoss(nodeBefore, state);
    device.isLost = false;
    this.#believes(device, moves, state);
    const isInPlace = state.state === 'call' || (state.state === 'queued' && state.queued.since === kept?.queuedAt);
    oracle.check(!kept || isInPlace, 'RQ-5: back in time, and the place in the queue is gone', () => ({ kept, state }));
  }

  async #lateLoss(nodeBefore: UseCases, state: RandomState): Promise<void> {
    const { oracle } = this.#world;
    const { userId } = this;
    const awaySince = () => oracle.tickets.get(userId)?.awaySince;
    const before = awaySince();
    await nodeBefore.calls.lose(this.#caller(), nodeBefore.nodeId);
    this.#note('late loss');
    oracle.check(
      before !== null || awaySince() === null || awaySince() === undefined,
      'RE-3: lost by a node that they have left',
      () => ({ userId, state }),
    );
  }

  /** The place in the queue that is theirs still: back within the grace, and before the time of waiting is over. */
  #mustStillWait(): Ticket | undefined {
    const { clock, limits } = this.#world;
    const kept = this.#kept;
    this.#kept = undefined;
    if (!kept || kept.awaySince === null) return undefined;
    const until = Math.min(kept.awaySince + limits.queueGraceMs, kept.queuedAt + limits.queueWaitMs);
    return clock.now() < until ? kept : undefined;
  }

  /** The server notices that this device is not connected any more. */
  async #lose({ sessionId }: Device, node = this.#does): Promise<void> {
    this.#world.connected.delete(sessionId);
    await node.calls.lose({ userId: this.userId, sessionId }, node.nodeId);
  }

  #newDevice(): Device {
    const device: Device = { sessionId: this.#world.newId(), view: idle, moves: 0, isLost: false };
    this.#world.devices.set(device.sessionId, (told) => this.hear(device, told));
    return device;
  }

  #caller(): Caller {
    return { userId: this.userId, sessionId: this.device.sessionId };
  }

  /** As the gateway does: searches of one person come one after the other. */
  #one<Value>(run: () => Promise<Value>): Promise<Value> {
    return this.#does.whereabouts.run(this.userId, run);
  }

  #answered(result: Result<unknown>): void {
    // Whoever closed the page is not there to be answered.
    const isFine = result.ok || this.state === 'gone' || harmless.includes(result.refusal.code);
    this.#world.oracle.check(isFine, 'a refusal for no reason', () => ({ userId: this.userId, result }));
  }

  #note(what: string): void {
    this.#world.oracle.story(this.userId, what);
    this.#world.noted.set(what, (this.#world.noted.get(what) ?? 0) + 1);
  }
}
