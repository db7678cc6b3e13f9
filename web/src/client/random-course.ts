import type { CallEndReason, CallMode } from '@rostrum/shared/protocol/call.ts';
import type { Match, Queued, RandomService, RandomState } from '@rostrum/shared/protocol/random.ts';
import { type CallFacts, type CallState, factsOfMatch, factsOfState, withLine } from './call-facts.ts';
import { CallMedia } from './call-media.ts';
import type { CallSnapshot, ChatLine, RandomOptions, RandomPhase, SearchNotice } from './call-types.ts';
import { cameraPermission, microphonePermission } from './devices.ts';
import { RandomControls } from './random-controls.ts';
import type { Connection } from './types.ts';

/** How a call ended. */
export type Ending = { readonly reason: CallEndReason; readonly byYou: boolean; readonly requeued: boolean };

/** The part of random calls that knows where this person stands: searching, in a call, after it. */
export abstract class RandomCourse extends RandomControls {
  protected readonly connection: Connection;
  protected facts: CallFacts | undefined;
  /** Why one searches again. */
  protected notice: SearchNotice | null = null;
  /** This machine changed its network since the connection was last there. */
  protected moved = false;
  readonly #options: RandomOptions;
  #phase: RandomPhase = { phase: 'idle' };
  #service: RandomService | undefined;
  /** When the call was connected, by `performance.now()`. */
  #connectedAt: number | undefined;

  constructor(connection: Connection, options: RandomOptions) {
    super(options);
    this.connection = connection;
    this.#options = options;
  }

  get phase(): RandomPhase {
    return this.#phase;
  }

  get service(): RandomService | undefined {
    return this.#service;
  }

  protected get isSearching(): boolean {
    return this.#phase.phase === 'queued' || this.#phase.phase === 'starting';
  }

  /** The server does not know a call that is shown here: asks where one stands. */
  protected abstract sync(): void;

  protected serve(service: RandomService): void {
    if (this.closed) return;
    this.#service = service;
    this.events.emit('service', service);
  }

  protected become(phase: RandomPhase): void {
    if (this.closed) return;
    this.#phase = phase;
    this.events.emit('phase', phase);
  }

  protected override changed(): void {
    if (this.facts !== undefined) this.become({ phase: 'call', call: this.#snapshotOf(this.facts) });
  }

  protected amend(facts: CallFacts): void {
    this.facts = facts;
    if (facts.connectedAt !== null) this.#connectedAt ??= performance.now();
    this.changed();
  }

  protected say(line: ChatLine): void {
    if (this.facts === undefined) return;
    const chat = withLine(this.facts.chat, line);
    if (chat === this.facts.chat) return;
    this.amend({ ...this.facts, chat });
    if (!line.mine) this.events.emit('message', line);
  }

  protected queue(queued: Queued): void {
    this.leave();
    this.become({ phase: 'queued', queued, notice: this.notice });
  }

  /** A call that has just begun. */
  protected enter(match: Match): void {
    if (this.facts?.sessionId === match.sessionId) return;
    this.leave();
    this.#open(match, factsOfMatch(match), false);
  }

  /** A call that goes on, as the server says: one that is known here, or that this page takes up. */
  #take(state: CallState): void {
    const { match, phase, connectedAt } = state;
    const known = this.facts?.sessionId === match.sessionId ? this.facts : undefined;
    const facts = factsOfState(state, this.connection.userId, known);
    if (known === undefined) {
      this.leave();
      this.#open(match, facts, true);
    } else {
      this.media?.resume(match, this.moved);
      if (facts.throughSfu) this.media?.goThroughSfu();
      this.amend(facts);
    }
    this.moved = false;
    // A page that takes a call up has only the server's clock to go by, and this machine's.
    if (known === undefined && connectedAt !== null && phase !== 'connecting')
      this.#connectedAt = performance.now() - Math.max(0, Date.now() - connectedAt);
  }

  /** Where one stands, as the server says. */
  protected stand(state: RandomState): void {
    if (state.state === 'call') this.#take(state);
    else if (state.state === 'queued') this.queue(state.queued);
    else this.#nothingLeft();
  }

  protected over({ reason, byYou, requeued }: Ending): void {
    const { facts } = this;
    if (facts === undefined) return;
    const since = this.#connectedAt;
    const durationMs = since === undefined ? null : Math.round(performance.now() - since);
    this.leave();
    const { sessionId, partner, mode } = facts;
    // The place in the queue is told in a moment.
    if (requeued) this.become({ phase: 'starting', mode });
    else this.become({ phase: 'after', sessionId, partner, reason, byYou, durationMs });
  }

  /** Lets go of the call, without a word about what follows. */
  protected leave(): void {
    this.media?.close();
    this.media = undefined;
    this.facts = undefined;
    this.#connectedAt = undefined;
  }

  /** The server knows of no call and no search of this session: what is shown here ended while it was away. */
  #nothingLeft(): void {
    if (this.facts !== undefined) this.over({ reason: 'lost', byYou: false, requeued: false });
    else if (this.isSearching) this.become({ phase: 'out', reason: 'lost' });
  }

  #open(match: Match, facts: CallFacts, takenUp: boolean): void {
    this.facts = facts;
    if (match.mode !== 'text') {
      const { connection, devices: preview, playback, audioOnly } = this;
      this.media = new CallMedia({
        connection,
        match,
        takenUp,
        throughSfu: facts.throughSfu,
        preview,
        playback,
        random: this.#options,
        audioOnly,
        changed: () => this.changed(),
        stale: () => this.sync(),
      });
      if (this.preview.state === 'off') void this.#openDevices(match.mode);
    }
    this.amend(facts);
  }

  /** After a reload, where that takes no question to the person: the browser remembers what was allowed. */
  async #openDevices(mode: CallMode): Promise<void> {
    const { facts } = this;
    const stands = async (permission: Promise<string>): Promise<boolean> =>
      ['granted', 'unknown'].includes(await permission);
    if (!(await stands(microphonePermission()))) return;
    const withCamera = mode === 'video' && (await stands(cameraPermission()));
    if (this.closed || facts?.sessionId !== this.facts?.sessionId || this.preview.state !== 'off') return;
    await this.openPreview(withCamera ? 'video' : 'voice', this.#options.devices?.() ?? {});
  }

  #snapshotOf(facts: CallFacts): CallSnapshot {
    const { media, devices, playback, audioOnly, connection } = this;
    const interrupted = connection.status !== 'online' || media?.lost === true;
    return {
      ...facts,
      phase: facts.phase === 'connected' && interrupted ? 'reconnecting' : facts.phase,
      muted: devices.muted,
      video: media?.video ?? { state: 'off', why: 'no-camera' },
      audioOnly,
      quality: media?.quality ?? null,
      securityCode: media?.securityCode ?? null,
      audioBlocked: playback.blocked,
    };
  }
}
