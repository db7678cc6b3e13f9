import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import { searchSchema } from '@rostrum/shared/protocol/random.ts';
import { ToneSource } from '../../test/support/tone.ts';
import { giveConsents } from './api.ts';
import type { LoadContext } from './context.ts';
import { Conversation } from './conversation.ts';
import { ownAddresses } from './load-server.ts';
import { P2pCall } from './p2p-call.ts';
import { wait } from './patience.ts';
import { Person } from './person.ts';
import { sharedMs } from './rtp-clock.ts';

/** A voice that is heard by its pauses, in hertz; it is looked so often whether there is one, in milliseconds. */
const voice = { hertz: 220, volume: 0.3, lookMs: 50 } as const;
/** Pause before the next search where nobody was found, or something failed, in milliseconds. */
const againMs = 1000;
/** Other people search here: whoever met so many strangers stops, and leaves them alone. */
const mostStrangers = 3;

export type CallerOptions = {
  readonly talkMs: number;
  /** Whether somebody is one of the callers of this load. */
  readonly isOurs: (userId: string) => boolean;
};

type Current = {
  readonly sessionId: string;
  readonly begins: boolean;
  readonly matchedAt: number;
  readonly call: P2pCall;
};

/** Somebody who calls at random with real WebRTC: searches, is connected, talks for a while, and goes on to the next. */
export class Caller {
  readonly #context: LoadContext;
  readonly #options: CallerOptions;
  readonly #person: Person;
  readonly #microphone = new ToneSource(voice.hertz);
  readonly #speech: NodeJS.Timeout;
  #current: Current | undefined;
  #searchedAt = 0;
  #strangers = 0;
  #talk: NodeJS.Timeout | undefined;

  /** Signs somebody in who accepts the house rules, and connects them. @throws Refused, Error */
  static async arrive(context: LoadContext, options: CallerOptions): Promise<Caller> {
    context.tally.count('asked');
    try {
      const person = await Person.signIn(context);
      await giveConsents(context.server, person.pass);
      await person.connect();
      context.tally.count('joined');
      return new Caller(context, options, person);
    } catch (error) {
      context.tally.count('refused');
      throw error;
    }
  }

  private constructor(context: LoadContext, options: CallerOptions, person: Person) {
    this.#context = context;
    this.#options = options;
    this.#person = person;
    const conversation = new Conversation({ speakers: 2, talking: 1 });
    this.#speech = setInterval(() => {
      this.#microphone.setVolume(conversation.at(sharedMs()).has(0) ? voice.volume : 0);
    }, voice.lookMs);
    person.on('random:match_instant', (match) => this.#matched(match));
    person.on('random:offer', (told) => this.#callOf(told)?.offered(told));
    person.on('random:answer', (told) => this.#callOf(told)?.answered(told));
    person.on('random:ice_candidate', (told) => this.#callOf(told)?.found(told));
    person.on('random:connected', (told) => this.#connected(told));
    person.on('random:connection_timeout', (told) => {
      context.tally.count('notConnected');
      this.#over(told);
    });
    person.on('random:call_ended', (told) => this.#over(told));
    person.on('random:dequeued', () => {
      context.tally.count('unmatched');
      this.#searchAgain();
    });
    person.on('random:idle_check', ({ sessionId, answerUntil }) => {
      if (answerUntil !== null) this.#tell(person.do('random:still_here', { sessionId }));
    });
  }

  get userId(): string {
    return this.#person.userId;
  }

  search(): void {
    this.#searchedAt = performance.now();
    const input = { ...searchSchema.parse({ mode: 'voice' }), leaveRoom: false };
    this.#person.do('random:start_queue', input).catch(() => this.#searchAgain());
  }

  /** Hangs up, stops searching, and closes everything. Never rejects. */
  async leave(): Promise<void> {
    const current = this.#hangUp();
    const goodbye = current
      ? this.#person.do('random:end_call', { sessionId: current.sessionId })
      : this.#person.do('random:cancel_queue', {});
    await goodbye.catch(() => undefined);
    this.#person.close();
    clearInterval(this.#speech);
    this.#microphone.stop();
  }

  #callOf({ sessionId }: { readonly sessionId: string }): P2pCall | undefined {
    return this.#current?.sessionId === sessionId ? this.#current.call : undefined;
  }

  #matched({ sessionId, partner, initiateConnection: begins }: EventPayload<'random:match_instant'>): void {
    const { tally } = this.#context;
    this.#hangUp();
    if (!this.#options.isOurs(partner.id)) {
      tally.count('strangers');
      this.#strangers += 1;
      this.#tell(this.#person.do('random:end_call', { sessionId }));
      return;
    }
    tally.count('matched');
    const matchedAt = performance.now();
    tally.times.match.record(matchedAt - this.#searchedAt);
    const { do: ask } = { do: this.#person.do.bind(this.#person) };
    const call = new P2pCall({
      begins,
      // Both ends are on this machine.
      addresses: ownAddresses(),
      track: this.#microphone.track,
      tell: {
        offer: async (description) => void (await ask('random:offer', { sessionId, ...description })),
        answer: async (description) => void (await ask('random:answer', { sessionId, ...description })),
        candidate: async (candidate) => void (await ask('random:ice_candidate', { sessionId, ...candidate })),
      },
      heard: () => this.#tell(ask('random:connected', { sessionId, route: 'p2p_udp' })),
      failed: (error) => tally.failed('call', error),
    });
    this.#current = { sessionId, begins, matchedAt, call };
  }

  #connected({ sessionId }: EventPayload<'random:connected'>): void {
    const current = this.#current;
    if (current?.sessionId !== sessionId || this.#talk !== undefined) return;
    const { tally } = this.#context;
    tally.times.connect.record(performance.now() - current.matchedAt);
    // Each call is counted at one of its ends.
    if (!current.begins) return;
    tally.count('connected');
    this.#talk = setTimeout(() => {
      this.#hangUp();
      this.#searchedAt = performance.now();
      this.#person.do('random:next_partner', { sessionId }).catch(() => this.#searchAgain());
    }, this.#options.talkMs);
  }

  #over({ sessionId, requeued }: { readonly sessionId: string; readonly requeued: boolean }): void {
    if (this.#current !== undefined && this.#current.sessionId !== sessionId) return;
    this.#hangUp();
    this.#searchedAt = performance.now();
    if (!requeued) this.#searchAgain();
  }

  #searchAgain(): void {
    if (this.#strangers >= mostStrangers) return;
    wait(againMs, this.#person.closing).then(
      () => {
        if (this.#current === undefined) this.search();
      },
      () => undefined,
    );
  }

  #hangUp(): Current | undefined {
    clearTimeout(this.#talk);
    this.#talk = undefined;
    const current = this.#current;
    this.#current = undefined;
    current?.call.close();
    return current;
  }

  /** What fails is in the tally. */
  #tell(asked: Promise<unknown>): void {
    asked.catch(() => undefined);
  }
}
