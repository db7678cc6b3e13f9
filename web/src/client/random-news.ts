import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { RandomState } from '@rostrum/shared/protocol/random.ts';
import { type CallFacts, type CallNews, lineOf, withNews } from './call-facts.ts';
import type { LinkMessage } from './negotiation.ts';
import { type Ending, RandomCourse } from './random-course.ts';
import { listenToRandom, type RandomListeners } from './random-events.ts';

/** Calls that this person ended, and that the server may not have heard of (RE-5). */
const endedMax = 20;

/** The part of random calls that follows what the server says. Word of another call than the present one changes nothing. */
export abstract class RandomNews extends RandomCourse {
  /** The person is done: what the server still begins for them is given up again. */
  protected done = false;
  /** Counts news of where one stands: an answer that was on its way meanwhile is older than they are. */
  protected news = 0;
  #ended: readonly string[] = [];

  /** Listens until the returned function is called. */
  protected listen(): () => void {
    return listenToRandom(this.connection, { ...this.#onSearch(), ...this.#onCall(), ...this.#onTalk() });
  }

  /** Where one stands, as the server says; what the person is done with is given up again. */
  protected follow(state: RandomState): void {
    if (this.closed) return;
    if (state.state === 'queued' && this.done) void this.giveUpQueue();
    else if (state.state === 'call' && this.#isOver(state.match.sessionId)) void this.giveUpCall(state.match.sessionId);
    else this.stand(state);
  }

  /** Where it cannot be said now, it is when the connection is back; and the place lapses by itself (RQ-5, RD-5). */
  protected async giveUpQueue(): Promise<void> {
    await this.connection.request('random:cancel_queue', {}).catch(() => undefined);
  }

  protected async giveUpCall(sessionId: string): Promise<void> {
    this.#ended = [...this.#ended.filter((ended) => ended !== sessionId), sessionId].slice(-endedMax);
    await this.connection.request('random:end_call', { sessionId }).catch(() => undefined);
  }

  /** Does it if this is the present call. */
  protected inCall(sessionId: string, act: (facts: CallFacts) => void): void {
    if (this.facts?.sessionId === sessionId) act(this.facts);
  }

  #isOver(sessionId: string): boolean {
    return this.done || this.#ended.includes(sessionId);
  }

  #onSearch() {
    return {
      'random:queued': (queued) => {
        this.news += 1;
        if (this.done) void this.giveUpQueue();
        else this.queue(queued);
      },
      'random:dequeued': ({ reason }) => {
        this.news += 1;
        if (this.isSearching) this.become(reason === 'cancelled' ? { phase: 'idle' } : { phase: 'out', reason });
      },
      'random:match_instant': (match) => {
        this.news += 1;
        if (this.#isOver(match.sessionId)) {
          void this.giveUpCall(match.sessionId);
          return;
        }
        this.enter(match);
        // A text call is connected from the start; since when, and until when, only the server can say.
        if (match.mode === 'text') this.sync();
      },
      'random:feature_unavailable': ({ reason, until }) => {
        this.news += 1;
        if (this.service !== undefined) this.serve({ ...this.service, available: false, reason, until });
        if (this.isSearching) this.become({ phase: 'out', reason: 'unavailable' });
      },
      'random:stats_update': (stats) => {
        if (this.service !== undefined) this.serve({ ...this.service, stats });
      },
    } satisfies Partial<RandomListeners>;
  }

  #onCall() {
    const heard =
      <Name extends CallNews['name']>(name: Name) =>
      (payload: EventPayload<Name>): void =>
        // The compiler cannot see that name and payload belong together, though both come from the same `name`.
        this.#heard({ name, payload } as CallNews);
    return {
      'random:connected': heard('random:connected'),
      'random:partner_disconnected': heard('random:partner_disconnected'),
      'random:partner_returned': heard('random:partner_returned'),
      'random:idle_check': heard('random:idle_check'),
      'random:time_warning': heard('random:time_warning'),
      'random:sfu': heard('random:sfu'),
      'random:connection_timeout': ({ sessionId, requeued, failuresInARow, relayFromNow }) => {
        const finding = this.media?.finding ?? 'unknown';
        this.#ending(sessionId, { reason: 'connect-timeout', byYou: false, requeued });
        if (requeued) this.notice = { kind: 'not-connected', failuresInARow, relayFromNow, finding };
      },
      'random:call_ended': ({ sessionId, reason, byYou, requeued }) => {
        this.#ending(sessionId, { reason, byYou, requeued });
        if (requeued) this.notice = byYou ? null : { kind: 'partner-gone' };
      },
      'random:joined_elsewhere': ({ sessionId }) => {
        this.news += 1;
        this.inCall(sessionId, () => {
          this.leave();
          this.become({ phase: 'out', reason: 'joined-elsewhere' });
        });
      },
    } satisfies Partial<RandomListeners>;
  }

  #onTalk() {
    const relayed =
      (kind: 'offer' | 'answer') =>
      ({ sessionId, ...description }: EventPayload<'random:offer'>): void =>
        this.#relayed(sessionId, { kind, ...description });
    return {
      'random:offer': relayed('offer'),
      'random:answer': relayed('answer'),
      'random:ice_candidate': ({ sessionId, ...candidate }) =>
        this.#relayed(sessionId, { kind: 'candidate', ...candidate }),
      'random:chat': ({ sessionId, message }) =>
        this.inCall(sessionId, () => this.say(lineOf(message, this.connection.userId))),
    } satisfies Partial<RandomListeners>;
  }

  #relayed(sessionId: string, message: LinkMessage): void {
    this.inCall(sessionId, () => this.media?.take(message));
  }

  #heard(told: CallNews): void {
    this.news += 1;
    this.inCall(told.payload.sessionId, (facts) => {
      if (told.name === 'random:partner_returned') this.media?.partnerReturned();
      if (told.name === 'random:sfu') this.media?.goThroughSfu();
      this.amend(withNews(facts, told, this.media?.lost === true));
    });
  }

  #ending(sessionId: string, ending: Ending): void {
    this.news += 1;
    this.inCall(sessionId, () => this.over(ending));
  }
}
