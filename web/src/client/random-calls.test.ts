import type { CommandName, EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { Match, Queued, RandomService, RandomState } from '@rostrum/shared/protocol/random.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ChatLine, RandomPhase } from './call-types.ts';
import { Emitter } from './emitter.ts';
import { RostrumError } from './errors.ts';
import { openRandomCalls } from './random-calls.ts';
import { idOf, me } from './test-support.ts';
import type { CloseReason, Connection, ConnectionStatus, Online } from './types.ts';

const session = idOf('session');
const partner = { id: idOf('bob'), displayName: 'Bob', avatarUrl: null };

const match = (more: Partial<Match> = {}): Match => ({
  sessionId: session,
  mode: 'text',
  partner,
  languages: [],
  initiateConnection: true,
  iceServers: [],
  relayOnly: false,
  sfuAllowed: false,
  connectBy: 9000,
  ...more,
});
const queued: Queued = { position: 1, waiting: 1, mode: 'text', since: 1, relaxed: [], languageUntil: null };
const inCall = (more: Partial<Extract<RandomState, { state: 'call' }>> = {}): RandomState => ({
  state: 'call',
  match: match(),
  phase: 'connected',
  connectedAt: 1000,
  resumeUntil: null,
  partnerAway: false,
  answerUntil: null,
  endsAt: null,
  asked: false,
  partnerAsked: false,
  throughSfu: false,
  chat: [],
  ...more,
});
const service: RandomService = {
  available: true,
  reason: null,
  until: null,
  minimumAge: 18,
  filters: [],
  relay: 'none',
  stats: { totalActive: 0, inQueue: 0, activeCalls: 0 },
};

type ServerEvents = { [Name in EventName]: EventPayload<Name> };
type Answer = unknown | (() => unknown);

/** A connection whose server is played by the test. */
class Line implements Connection {
  status: ConnectionStatus = 'online';
  readonly userId = me;
  closeReason: CloseReason | undefined;
  readonly asked: { readonly name: CommandName; readonly input: unknown }[] = [];
  readonly answers = new Map<CommandName, Answer>([
    ['random:watch', service],
    ['random:sync', { state: { state: 'idle' } }],
  ]);
  listeners = 0;
  readonly #events = new Emitter<ServerEvents>();
  readonly #own = new Emitter<{ status: ConnectionStatus; online: Online }>();

  readonly on: Connection['on'] = (name, listener) => this.#counted(this.#own.on(name, listener));

  request: Connection['request'] = async (name, input) => {
    this.asked.push({ name, input });
    const answer = this.answers.get(name) ?? {};
    const given = typeof answer === 'function' ? await answer() : answer;
    if (given instanceof Error) throw given;
    return given as never;
  };

  onEvent<Name extends EventName>(name: Name, listener: (payload: EventPayload<Name>) => void): () => void {
    return this.#counted(this.#events.on(name, listener));
  }

  tell<Name extends EventName>(name: Name, payload: ServerEvents[Name]): void {
    this.#events.emit(name, payload);
  }

  become(status: ConnectionStatus, closeReason?: CloseReason): void {
    this.status = status;
    this.closeReason = closeReason;
    this.#own.emit('status', status);
    if (status === 'online') this.#own.emit('online', { resumed: true, moved: false });
  }

  close(): void {
    this.become('closed', 'by-client');
  }

  count(name: CommandName): number {
    return this.asked.filter((asked) => asked.name === name).length;
  }

  #counted(stop: () => void): () => void {
    this.listeners += 1;
    return () => {
      this.listeners -= 1;
      stop();
    };
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

const setUp = async (state: RandomState = { state: 'idle' }) => {
  const line = new Line();
  line.answers.set('random:sync', { state });
  const calls = openRandomCalls(line);
  const phases: RandomPhase[] = [];
  const messages: ChatLine[] = [];
  calls.on('phase', (phase) => phases.push(phase));
  calls.on('message', (message) => messages.push(message));
  await settle();
  return { line, calls, phases, messages };
};

/** Somebody in a text call. */
const talking = () => setUp(inCall());

describe('RD-1 where one stands', () => {
  test('RD-5 RQ-5 a page that is opened finds its search, or its call', async () => {
    expect((await setUp()).calls.phase).toEqual({ phase: 'idle' });
    expect((await setUp({ state: 'queued', queued })).calls.phase).toEqual({ phase: 'queued', queued, notice: null });
    const { calls } = await talking();
    expect(calls.phase).toMatchObject({ phase: 'call', call: { sessionId: session, phase: 'connected', partner } });
  });

  test('RQ-7 the counts are told as they change, after it is known where one stands', async () => {
    const line = new Line();
    let answer: (value: unknown) => void = () => undefined;
    line.answers.set('random:sync', () => new Promise((resolve) => (answer = resolve)));
    const calls = openRandomCalls(line);
    await settle();
    expect(calls.service).toBeUndefined();
    answer({ state: { state: 'queued', queued } });
    await settle();
    expect(calls.phase.phase).toBe('queued');
    line.tell('random:stats_update', { totalActive: 7, inQueue: 1, activeCalls: 3 });
    expect(calls.service?.stats).toEqual({ totalActive: 7, inQueue: 1, activeCalls: 3 });
  });

  test('RQ-1 a search is asked for whole, and followed into the call', async () => {
    const { line, calls, phases } = await setUp();
    line.answers.set('random:start_queue', { state: { state: 'queued', queued } });
    await calls.start({ mode: 'text', languages: ['en'] });
    expect(line.asked.at(-1)).toEqual({
      name: 'random:start_queue',
      input: {
        mode: 'text',
        languages: ['en'],
        preferLanguages: false,
        interests: [],
        region: null,
        about: { gender: null, ageRange: null },
        filters: { minReputation: null, genders: null, ageRanges: null },
        hideAddress: false,
        leaveRoom: false,
      },
    });
    line.tell('random:match_instant', match());
    expect(phases.map(({ phase }) => phase)).toEqual(['starting', 'queued', 'call']);
    await expect(calls.start({ mode: 'text' })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('RE-1 an answer that is older than what was heard meanwhile changes nothing', async () => {
    const { line, calls } = await setUp();
    line.answers.set('random:start_queue', () => {
      line.tell('random:queued', queued);
      line.tell('random:match_instant', match({ mode: 'voice' }));
      return { state: { state: 'queued', queued } };
    });
    vi.stubGlobal(
      'MediaStream',
      class {
        getTracks() {
          return [];
        }
      },
    );
    await calls.start({ mode: 'text' });
    expect(calls.phase).toMatchObject({ phase: 'call', call: { phase: 'connecting' } });
    calls.dispose();
    vi.unstubAllGlobals();
  });

  test('RE-1 where something was heard while it was asked, it is asked again', async () => {
    const { line, calls } = await setUp({ state: 'queued', queued });
    line.answers.set('random:sync', () => {
      line.answers.set('random:sync', { state: inCall({ partnerAway: true }) });
      line.tell('random:match_instant', match());
      return { state: { state: 'queued', queued } };
    });
    line.become('online');
    await settle();
    expect(calls.phase.phase).toBe('call');
    await vi.advanceTimersByTimeAsync(2000);
    expect(calls.phase).toMatchObject({ phase: 'call', call: { partnerAway: true } });
  });

  test('a search that is refused says so, and can be dismissed', async () => {
    const { line, calls } = await setUp();
    line.answers.set('random:start_queue', new RostrumError('in_room', ''));
    await expect(calls.start({ mode: 'text' })).rejects.toMatchObject({ code: 'in_room' });
    expect(calls.phase).toMatchObject({ phase: 'refused', error: { code: 'in_room' } });
    calls.dismiss();
    expect(calls.phase).toEqual({ phase: 'idle' });
  });

  test('a search whose answer never came is given up where it began after all', async () => {
    const { line, calls } = await setUp();
    line.answers.set('random:start_queue', new RostrumError('timeout', ''));
    await expect(calls.start({ mode: 'text' })).rejects.toMatchObject({ code: 'timeout' });
    line.tell('random:queued', queued);
    expect(calls.phase.phase).toBe('refused');
    expect(line.count('random:cancel_queue')).toBe(1);
  });

  test('RQ-5 RQ-8 out of the queue without having asked for it', async () => {
    for (const reason of ['timeout', 'elsewhere', 'room', 'lost', 'server-stopped'] as const) {
      const { line, calls } = await setUp({ state: 'queued', queued });
      line.tell('random:dequeued', { reason });
      expect(calls.phase).toEqual({ phase: 'out', reason });
    }
    const { line, calls } = await setUp({ state: 'queued', queued });
    line.tell('random:feature_unavailable', { reason: 'full moon', until: 5 });
    expect(calls.phase).toEqual({ phase: 'out', reason: 'unavailable' });
    expect(calls.service).toMatchObject({ available: false, reason: 'full moon', until: 5 });
  });

  test('RQ-5 a search that the server does not know any more is lost', async () => {
    const { line, calls } = await setUp({ state: 'queued', queued });
    line.answers.set('random:sync', { state: { state: 'idle' } });
    line.become('reconnecting');
    expect(calls.phase.phase).toBe('queued');
    line.become('online');
    await settle();
    expect(calls.phase).toEqual({ phase: 'out', reason: 'lost' });
  });

  test('RD-6 a match that crosses a cancellation is given up', async () => {
    const { line, calls } = await setUp({ state: 'queued', queued });
    const cancelled = calls.cancel();
    expect(calls.phase).toEqual({ phase: 'idle' });
    line.tell('random:match_instant', match());
    await cancelled;
    expect(calls.phase).toEqual({ phase: 'idle' });
    expect(line.asked.map(({ name }) => name)).toContain('random:end_call');
  });

  test('a cancellation that the server did not hear is said again when the connection is back', async () => {
    const { line, calls } = await setUp({ state: 'queued', queued });
    line.answers.set('random:cancel_queue', new RostrumError('network', ''));
    await calls.cancel();
    line.answers.delete('random:cancel_queue');
    line.become('reconnecting');
    line.become('online');
    await settle();
    expect(calls.phase).toEqual({ phase: 'idle' });
    expect(line.count('random:cancel_queue')).toBe(2);
  });

  test('ID-5 a connection that is closed for good ends it', async () => {
    const taken = await talking();
    taken.line.become('closed', 'replaced');
    expect(taken.calls.phase).toEqual({ phase: 'out', reason: 'joined-elsewhere' });
    const expired = await talking();
    expired.line.become('closed', 'unauthorized');
    expect(expired.calls.phase).toMatchObject({ phase: 'refused', error: { code: 'unauthorized' } });
    const idle = await setUp();
    idle.line.become('closed', 'unauthorized');
    expect(idle.calls.phase).toEqual({ phase: 'idle' });
  });
});

describe('RD-1 in a call', () => {
  test('RD-5 shows what the server says of it', async () => {
    const { line, calls } = await talking();
    const call = () => (calls.phase.phase === 'call' ? calls.phase.call : undefined);
    line.tell('random:partner_disconnected', { sessionId: session, resumeUntil: 77 });
    expect(call()).toMatchObject({ phase: 'reconnecting', resumeUntil: 77, partnerAway: true });
    line.tell('random:partner_returned', { sessionId: session });
    expect(call()).toMatchObject({ phase: 'reconnecting', partnerAway: false });
    const extension = { endsAt: 99, asked: true, partnerAsked: false };
    line.tell('random:connected', { sessionId: session, connectedAt: 1000, ...extension });
    expect(call()).toMatchObject({ phase: 'connected', resumeUntil: null, extension });
    line.tell('random:idle_check', { sessionId: session, answerUntil: 88 });
    expect(call()?.answerUntil).toBe(88);
    await calls.stillHere();
    expect(call()?.answerUntil).toBeNull();
    line.tell('random:time_warning', { sessionId: session, endsAt: 99, asked: true, partnerAsked: true });
    expect(call()?.extension.partnerAsked).toBe(true);
    line.become('reconnecting');
    expect(call()?.phase).toBe('reconnecting');
  });

  test('RD-14 word of another call changes nothing', async () => {
    const { line, calls, phases } = await talking();
    const before = phases.length;
    const other = { sessionId: idOf('other') };
    line.tell('random:call_ended', { ...other, reason: 'hung-up', byYou: false, requeued: false });
    line.tell('random:partner_disconnected', { ...other, resumeUntil: 1 });
    line.tell('random:joined_elsewhere', other);
    line.tell('random:connection_timeout', { ...other, requeued: true, failuresInARow: 1, relayFromNow: false });
    line.tell('random:chat', { ...other, message: { messageId: idOf('m'), byId: partner.id, text: 'x', at: 1 } });
    expect(phases).toHaveLength(before);
    expect(calls.phase.phase).toBe('call');
  });

  test('RD-14 a command that is stale asks where one stands', async () => {
    const { line, calls } = await talking();
    line.answers.set('random:chat', new RostrumError('stale', ''));
    line.answers.set('random:sync', { state: { state: 'idle' } });
    await expect(calls.send('hello')).rejects.toMatchObject({ code: 'stale' });
    await settle();
    expect(calls.phase).toMatchObject({ phase: 'after', reason: 'lost', byYou: false });
    await expect(calls.send('hello')).rejects.toMatchObject({ code: 'stale' });
  });

  test('RD-10 a message is shown once, in the order of the times', async () => {
    const { line, calls, messages } = await talking();
    const line1 = { messageId: idOf('one'), byId: partner.id, text: 'one', at: 10 };
    line.answers.set('random:chat', { message: { messageId: idOf('two'), byId: me, text: 'two', at: 5 } });
    line.tell('random:chat', { sessionId: session, message: line1 });
    line.tell('random:chat', { sessionId: session, message: line1 });
    await calls.send('two');
    line.answers.set('random:sync', { state: inCall({ chat: [line1] }) });
    line.become('online');
    await settle();
    const chat = calls.phase.phase === 'call' ? calls.phase.call.chat : [];
    expect(chat.map(({ text, mine }) => [text, mine])).toEqual([
      ['two', true],
      ['one', false],
    ]);
    expect(messages.map(({ text }) => text)).toEqual(['one']);
  });

  test('RD-6 the end by the other side, and by oneself', async () => {
    const { line, calls } = await talking();
    vi.advanceTimersByTime(5000);
    line.tell('random:call_ended', { sessionId: session, reason: 'hung-up', byYou: false, requeued: false });
    expect(calls.phase).toMatchObject({ phase: 'after', sessionId: session, partner, reason: 'hung-up', byYou: false });
    const mine = await talking();
    await mine.calls.end();
    expect(mine.calls.phase).toMatchObject({ phase: 'after', reason: 'hung-up', byYou: true });
    expect(mine.line.asked.at(-1)).toEqual({ name: 'random:end_call', input: { sessionId: session } });
    // The other side had gone on just then, and the server put this one back in the queue.
    mine.line.tell('random:queued', queued);
    expect(mine.calls.phase.phase).toBe('after');
    expect(mine.line.count('random:cancel_queue')).toBe(1);
  });

  test('RD-3 who waits again is told why', async () => {
    const gone = await setUp(inCall({ phase: 'connecting', connectedAt: null }));
    gone.line.tell('random:call_ended', { sessionId: session, reason: 'next', byYou: false, requeued: true });
    expect(gone.calls.phase).toEqual({ phase: 'starting', mode: 'text' });
    gone.line.tell('random:queued', queued);
    expect(gone.calls.phase).toMatchObject({ phase: 'queued', notice: { kind: 'partner-gone' } });
    const failed = await setUp(inCall({ phase: 'connecting', connectedAt: null }));
    failed.line.tell('random:connection_timeout', {
      sessionId: session,
      requeued: true,
      failuresInARow: 3,
      relayFromNow: true,
    });
    failed.line.tell('random:queued', queued);
    expect(failed.calls.phase).toMatchObject({
      notice: { kind: 'not-connected', failuresInARow: 3, relayFromNow: true, finding: 'unknown' },
    });
  });

  test('RD-6 next goes on to whom the server finds', async () => {
    const { line, calls } = await talking();
    const another = match({ sessionId: idOf('another') });
    line.answers.set('random:sync', { state: inCall({ match: another }) });
    line.answers.set('random:next_partner', () => {
      line.tell('random:call_ended', { sessionId: session, reason: 'next', byYou: true, requeued: true });
      line.tell('random:queued', queued);
      line.tell('random:match_instant', another);
      return { state: { state: 'queued', queued } };
    });
    await calls.next();
    expect(calls.phase).toMatchObject({ phase: 'call', call: { sessionId: another.sessionId } });
  });

  test('ID-5 another device takes it over', async () => {
    const { line, calls } = await talking();
    line.tell('random:joined_elsewhere', { sessionId: session });
    expect(calls.phase).toEqual({ phase: 'out', reason: 'joined-elsewhere' });
  });

  test('RE-5 leaves no listener and no timer behind', async () => {
    const { line, calls, phases } = await talking();
    const before = phases.length;
    calls.dispose();
    calls.dispose();
    expect(line.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(line.asked.at(-1)).toEqual({ name: 'random:watch', input: { watching: false } });
    line.become('closed', 'replaced');
    expect(phases).toHaveLength(before);
    expect(calls.remoteStream).toBeNull();
  });
});
