import type { EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { Match } from '@rostrum/shared/protocol/random.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pause, until } from '../media/harness.ts';
import { Chance } from '../property/matching-simulation-chance.ts';
import { accept, Caller, hostCandidate, sampleSdp } from '../support/caller.ts';
import { RoamingSocket } from '../support/cluster-socket.ts';
import { type Cluster, startCluster, stopClusters } from '../support/nodes.ts';
import { cleanUp, guest } from '../support/server.ts';

const crowdSize = 200;
/** How long they come and go, in milliseconds. */
const lastsMs = 30_000;
const seed = Number(process.env['CLUSTER_SEED'] ?? Math.floor(Math.random() * 1_000_000));

describe('random calls over three nodes', { timeout: 150_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ env: { LIMIT_CALL_MESSAGES_PER_SECOND: '1000', LIMIT_CALL_MESSAGE_BURST: '1000' } });
  }, 90_000);
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close();
    await cleanUp();
  });
  afterAll(stopClusters);

  it('RQ-5 RQ-1 RD-2 people of different nodes meet, and what they say to each other crosses nodes', async () => {
    const ann = await Caller.arrive(cluster.node(0).server, 'Ann');
    const ben = await Caller.arrive(cluster.node(1).server, 'Ben');
    await ann.search();
    await ben.search();
    const { sessionId } = await ann.match(ben);
    expect((await ben.match(ann)).sessionId).toBe(sessionId);
    const offer = { sessionId, from: 'a'.repeat(22), to: null, sdp: sampleSdp };
    await ben.socket.do('random:offer', offer);
    expect(await ann.socket.next('random:offer')).toEqual(offer);
    const answer = { sessionId, from: 'b'.repeat(22), to: 'a'.repeat(22), sdp: sampleSdp.replace('actpass', 'active') };
    await ann.socket.do('random:answer', answer);
    expect(await ben.socket.next('random:answer')).toEqual(answer);
    const candidate = {
      ...{ sessionId, from: 'b'.repeat(22), to: 'a'.repeat(22) },
      ...{ candidate: hostCandidate, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null },
    };
    await ann.socket.do('random:ice_candidate', candidate);
    expect(await ben.socket.next('random:ice_candidate')).toEqual(candidate);
    for (const caller of [ann, ben]) await caller.connected(sessionId);
    for (const caller of [ann, ben]) await caller.socket.next('random:connected');
    // RD-5: back on the third node, in the same call.
    const session = await ann.sessionId();
    ann.socket.close();
    await ben.socket.next('random:partner_disconnected');
    const person = Object.assign(Object.create(ann.person), { server: cluster.node(2).server }) as typeof ann.person;
    const back = await person.connect({ sessionId: session });
    const { state } = await back.do('random:sync', {});
    expect(state).toMatchObject({ state: 'call', match: { sessionId } });
    await ben.socket.next('random:partner_returned');
    await back.do('random:chat', { sessionId, text: 'hello again' });
    expect(await ben.socket.next('random:chat')).toMatchObject({ message: { text: 'hello again' } });
    await ben.socket.do('random:end_call', { sessionId });
    expect(await back.next('random:call_ended')).toMatchObject({ sessionId, byYou: false });
  });

  it(`RQ-5 RQ-1 ${crowdSize} who come, skip, end, leave and crash: nobody is in two calls, nobody is lost (seed ${seed})`, async () => {
    const chance = new Chance(seed);
    const crowd: Stranger[] = [];
    for (let index = 0; index < crowdSize; index += 20)
      crowd.push(
        ...(await Promise.all(
          Array.from({ length: 20 }, (_, more) =>
            Stranger.arrive(cluster, index + more, new Chance(seed + index + more)),
          ),
        )),
      );
    const until30 = performance.now() + lastsMs;
    await Promise.all(
      crowd.map(async (stranger) => {
        await pause(chance.between(0, 5000));
        await stranger.live(until30);
      }),
    );
    const happened = JSON.stringify(Object.fromEntries(count(crowd)));
    // Whoever waits now is alone with others who do not suit: nobody, as everybody suits; whom they met just now they meet again after 5 s.
    const inCalls = () => crowd.filter(({ at }) => at.kind === 'call');
    const waiting = () => crowd.filter(({ at }) => at.kind === 'queue');
    await until('at most one waits', () => waiting().length <= 1, 30_000).catch((error: unknown) => {
      throw new Error(`${waiting().length} wait; ${happened}`, { cause: error });
    });
    // By the server itself, asked of everybody at their node.
    const states = await Promise.all(crowd.map((stranger) => stranger.ask()));
    for (const [index, state] of states.entries()) {
      const stranger = crowd[index];
      expect(state, `${stranger?.name}: ${stranger?.story.join(', ')}`).toBe(stranger?.place);
    }
    const byUser = new Map(crowd.map((stranger) => [stranger.userId, stranger]));
    for (const { at, userId, name } of inCalls()) {
      if (at.kind !== 'call') continue;
      const partner = byUser.get(at.match.partner.id);
      expect(partner?.place, `${name} talks to ${partner?.name}`).toBe(`call ${at.match.sessionId}`);
      expect(partner?.at.kind === 'call' && partner.at.match.partner.id).toBe(userId);
    }
    expect(crowd.flatMap(({ broken }) => broken)).toEqual([]);
    expect(
      crowd.filter(({ unended }) => unended.size > 0).map(({ name, story }) => `${name}: ${story.join(', ')}`),
    ).toEqual([]);
    expect(mismatches()).toEqual([]);
    // A simulation in which little happens shows little.
    expect(told.size, happened).toBeGreaterThan(crowdSize);
    expect(acrossNodes(), happened).toBeGreaterThan(crowdSize / 3);
  });
});

const open: { close(): void }[] = [];

type Place = { readonly kind: 'idle' } | { readonly kind: 'queue' } | { readonly kind: 'call'; readonly match: Match };

/** Which node somebody came to, so that calls between nodes can be counted. */
const homes = new Map<string, number>();

/** Who was told of each call, and with whom. */
const told = new Map<string, Map<string, string>>();

/** What does not fit: three who were told of one call, or two who were told of different partners. */
const mismatches = (): string[] =>
  [...told].flatMap(([sessionId, sides]) => {
    const fits =
      sides.size <= 2 && [...sides].every(([userId, partnerId]) => (sides.get(partnerId) ?? userId) === userId);
    return fits ? [] : [`${sessionId}: ${JSON.stringify([...sides])}`];
  });

const acrossNodes = (): number =>
  [...told.values()].filter((sides) => [...sides].some(([one, other]) => homes.get(one) !== homes.get(other))).length;

/** Somebody who makes random calls, and believes what they are told. */
class Stranger {
  readonly userId: string;
  readonly name: string;
  /** What should not have been. */
  readonly broken: string[] = [];
  /** Calls that were followed by another one before they were said to be over. */
  readonly unended = new Set<string>();
  readonly story: string[] = [];
  readonly done = new Map<string, number>();
  at: Place = { kind: 'idle' };
  readonly #socket: RoamingSocket;
  readonly #chance: Chance;

  private constructor(person: Awaited<ReturnType<typeof guest>>, cluster: Cluster, home: number, chance: Chance) {
    this.userId = person.userId;
    this.name = person.signedIn.user.displayName;
    this.#chance = chance;
    this.#socket = new RoamingSocket(person, cluster.nodes, {
      at: home,
      listeners: { event: (name, payload) => this.#told(name, payload), online: () => void this.ask() },
    });
    open.push(this.#socket);
  }

  static async arrive(cluster: Cluster, index: number, chance: Chance): Promise<Stranger> {
    const home = index % cluster.nodes.length;
    const person = await guest(cluster.node(home).server, `Stranger ${index}`);
    await accept(person);
    homes.set(person.userId, home);
    const stranger = new Stranger(person, cluster, home, chance);
    await stranger.#socket.open();
    return stranger;
  }

  get place(): string {
    return this.at.kind === 'call' ? `call ${this.at.match.sessionId}` : this.at.kind;
  }

  /** Does one thing after the other, and in the end searches for somebody. */
  async live(until: number): Promise<void> {
    while (performance.now() < until) {
      await this.#act();
      await pause(this.#chance.exponential(700));
    }
    if (!this.#socket.isOnline) await waitFor(() => this.#socket.isOnline);
    await this.ask();
    if (this.at.kind === 'idle') await this.#search();
  }

  /** Where the server says that this session stands, which is believed. */
  async ask(): Promise<string> {
    const answer = await this.#socket.ask('random:sync', {});
    if (answer.ok) this.#believe(answer.data.state);
    return this.place;
  }

  async #act(): Promise<void> {
    if (!this.#socket.isOnline) return;
    if (this.at.kind === 'idle') return this.#search();
    if (this.at.kind === 'queue') {
      const what = this.#chance.weighted({ wait: 80, cancel: 8, crash: 12 });
      this.#count(what);
      if (what === 'cancel')
        await this.#command('random:cancel_queue', () => this.#socket.ask('random:cancel_queue', {}));
      if (what === 'crash') this.#socket.breakOff();
      return;
    }
    const { sessionId } = this.at.match;
    const what = this.#chance.weighted({ stay: 35, next: 35, end: 10, crash: 10, chat: 10 });
    this.#count(what);
    if (what === 'chat') await this.#command(what, () => this.#socket.ask('random:chat', { sessionId, text: 'hello' }));
    if (what === 'crash') this.#socket.breakOff();
    if (what === 'end') await this.#command(what, () => this.#socket.ask('random:end_call', { sessionId }));
    if (what === 'next') await this.#next(sessionId);
  }

  async #next(sessionId: string): Promise<void> {
    const answer = await this.#socket.ask('random:next_partner', { sessionId });
    this.#noteRefusal('next', answer);
  }

  async #search(): Promise<void> {
    this.#count('search');
    const answer = await this.#socket.ask('random:start_queue', { mode: 'text' } as never);
    this.#noteRefusal('search', answer);
    // What came of it may be told before the answer: then that is what holds.
    if (answer.ok && this.at.kind === 'idle' && answer.data.state.state === 'queued') this.at = { kind: 'queue' };
  }

  async #command(what: string, send: () => Promise<{ ok: boolean; error?: { code: string } }>): Promise<void> {
    const answer = await send();
    this.#noteRefusal(what, answer);
  }

  /** What is over just now, or was answered when the connection broke, is no fault. */
  #noteRefusal(what: string, answer: { ok: boolean; error?: { code: string } }): void {
    const code = answer.ok ? 'ok' : (answer.error?.code ?? '');
    this.story.push(`${what}: ${code}`);
    if (!['ok', 'stale', 'already', 'conflict', 'in_call', 'not_found', 'unanswered'].includes(code))
      this.broken.push(`${this.name}: ${what} answers ${code}`);
  }

  #told(name: EventName, payload: unknown): void {
    if (name.startsWith('random:')) this.story.push(name);
    const is = <Name extends EventName>(wanted: Name, _value: unknown): _value is EventPayload<Name> => name === wanted;
    if (is('random:match_instant', payload)) this.#match(payload);
    else if (is('random:queued', payload)) this.#go({ kind: 'queue' }, this.at.kind !== 'call');
    else if (is('random:dequeued', payload)) this.#go({ kind: 'idle' }, this.at.kind === 'queue');
    else if (is('random:call_ended', payload) || is('random:connection_timeout', payload)) {
      this.unended.delete(payload.sessionId);
      const isHere = this.at.kind === 'call' && this.at.match.sessionId === payload.sessionId;
      this.#go({ kind: payload.requeued ? 'queue' : 'idle' }, isHere);
    }
  }

  #go(at: Place, holds: boolean): void {
    if (holds) this.at = at;
  }

  /** Two nodes may tell of the end of one call and of the next one in either order; but both are told. */
  #match(match: Match): void {
    if (this.at.kind === 'call' && this.at.match.sessionId !== match.sessionId)
      this.unended.add(this.at.match.sessionId);
    const sides = told.get(match.sessionId) ?? new Map<string, string>();
    sides.set(this.userId, match.partner.id);
    told.set(match.sessionId, sides);
    this.at = { kind: 'call', match };
  }

  #believe(state: Awaited<ReturnType<Caller['state']>>): void {
    // What was told while the connection was away is not told again.
    this.unended.clear();
    if (state.state === 'call') {
      this.at = { kind: 'idle' };
      this.#match(state.match);
    } else this.at = { kind: state.state === 'queued' ? 'queue' : 'idle' };
  }

  #count(what: string): void {
    this.done.set(what, (this.done.get(what) ?? 0) + 1);
  }
}

const waitFor = (holds: () => boolean): Promise<unknown> => until('it is so', holds, 30_000);

/** How often each thing was done by all together. */
const count = (crowd: readonly Stranger[]): Map<string, number> => {
  const all = new Map<string, number>();
  for (const { done } of crowd) for (const [what, times] of done) all.set(what, (all.get(what) ?? 0) + times);
  return all;
};
