import { errorTable } from '@rostrum/shared/errors.ts';
import type { ReportType } from '@rostrum/shared/protocol/call.ts';
import type { CommandInput, CommandName, CommandOutput } from '@rostrum/shared/protocol/index.ts';
import type { Search } from '@rostrum/shared/protocol/random.ts';
import { type CallFacts, lineOf } from './call-facts.ts';
import type { RandomCalls, RandomOptions } from './call-types.ts';
import { codeOf, isPassing, RostrumError } from './errors.ts';
import { watchNetwork } from './network.ts';
import { RandomNews } from './random-news.ts';
import { phaseAfterClose, refusalOf, searchOf } from './random-search.ts';
import { keepTrying } from './retry.ts';
import { Timers } from './timers.ts';
import type { Connection, ConnectionStatus } from './types.ts';

/** Attempts to learn where one stands, with a back-off up to 10 s between them (RE-5). */
const syncMax = 10;

/** Random calls on this connection. Begins at once to learn where this session stands, and how many people are there. */
export const openRandomCalls = (connection: Connection, options: RandomOptions = {}): RandomCalls =>
  new Calls(connection, options);

class Calls extends RandomNews implements RandomCalls {
  readonly #timers = new Timers();
  readonly #stops: readonly (() => void)[];
  /** Only the latest question where one stands counts. */
  #syncs = 0;

  constructor(connection: Connection, options: RandomOptions) {
    super(connection, options);
    this.#stops = [
      this.listen(),
      connection.on('status', (status) => this.#statusChanged(status)),
      connection.on('online', () => void this.#begin()),
      watchNetwork(() => {
        this.moved = true;
      }),
    ];
    if (connection.status === 'online') void this.#begin();
    else if (connection.status === 'closed') this.#statusChanged('closed');
  }

  async start(
    search: Partial<Search> & Pick<Search, 'mode'>,
    { leaveRoom = false }: { leaveRoom?: boolean } = {},
  ): Promise<void> {
    if (this.closed || this.isSearching || this.facts !== undefined)
      throw new RostrumError('conflict', errorTable.conflict.message);
    if (search.mode !== 'text' && this.preview.state !== 'ready')
      throw new RostrumError('conflict', 'Open the microphone first.');
    this.done = false;
    this.notice = null;
    this.become({ phase: 'starting', mode: search.mode });
    try {
      await this.#moveBy('random:start_queue', { ...searchOf(search), leaveRoom });
    } catch (error) {
      // The server may have begun it after all: then it is given up again.
      if (isPassing(error)) this.done = true;
      if (this.phase.phase === 'starting') this.become(refusalOf(error));
      throw error;
    }
  }

  async cancel(): Promise<void> {
    if (!this.isSearching) return;
    this.done = true;
    this.become({ phase: 'idle' });
    await this.giveUpQueue();
  }

  async next(): Promise<void> {
    const { sessionId } = this.#present();
    this.done = false;
    this.notice = null;
    await this.#moveBy('random:next_partner', { sessionId });
  }

  async end(): Promise<void> {
    const { sessionId } = this.#present();
    this.done = true;
    this.over({ reason: 'hung-up', byYou: true, requeued: false });
    await this.giveUpCall(sessionId);
  }

  async rate(sessionId: string, rating: number, comment?: string): Promise<void> {
    await this.#ask('random:end_call', { sessionId, rating, ...(comment === undefined ? {} : { comment }) });
  }

  async report(sessionId: string, type: ReportType, text: string): Promise<void> {
    await this.#ask('random:report_user', { sessionId, type, text });
  }

  async block(sessionId: string): Promise<void> {
    await this.#ask('random:block_user', { sessionId });
  }

  async send(text: string): Promise<void> {
    const { sessionId } = this.#present();
    const { message } = await this.#ask('random:chat', { sessionId, text });
    this.inCall(sessionId, () => this.say(lineOf(message, this.connection.userId)));
  }

  async stillHere(): Promise<void> {
    const { sessionId } = this.#present();
    await this.#ask('random:still_here', { sessionId });
    this.inCall(sessionId, (facts) => this.amend({ ...facts, answerUntil: null }));
  }

  async extend(): Promise<void> {
    const { sessionId } = this.#present();
    await this.#ask('random:extend', { sessionId });
  }

  dismiss(): void {
    if (this.phase.phase === 'after' || this.phase.phase === 'out' || this.phase.phase === 'refused')
      this.become({ phase: 'idle' });
  }

  dispose(): void {
    if (this.closed) return;
    for (const stop of this.#stops) stop();
    this.#timers.close();
    this.releaseDevices();
    const { connection } = this;
    if (connection.status === 'online') connection.request('random:watch', { watching: false }).catch(() => undefined);
  }

  protected override sync(): void {
    void this.#sync();
  }

  /** The connection is there: how many people are here is asked beside where one stands, and told after it. */
  async #begin(): Promise<void> {
    const synced = this.#sync();
    await keepTrying({
      attempt: async () => {
        const service = await this.connection.request('random:watch', { watching: true });
        await synced;
        this.serve(service);
      },
      wanted: () => this.#online,
      most: syncMax,
      timers: this.#timers,
    });
  }

  async #sync(): Promise<void> {
    this.#syncs += 1;
    const round = this.#syncs;
    await keepTrying({
      attempt: async () => {
        const news = this.news;
        const { state } = await this.connection.request('random:sync', {});
        // What was heard meanwhile is newer than the answer, or is not in it: it is asked for again.
        if (news !== this.news) throw new RostrumError('conflict', errorTable.conflict.message);
        if (round === this.#syncs) this.follow(state);
      },
      wanted: () => this.#online && round === this.#syncs,
      most: syncMax,
      timers: this.#timers,
    });
  }

  get #online(): boolean {
    return !this.closed && this.connection.status === 'online';
  }

  /** A command that is answered with where one stands then; what came in events meanwhile is newer. */
  async #moveBy<Name extends 'random:start_queue' | 'random:next_partner'>(
    name: Name,
    input: CommandInput<Name>,
  ): Promise<void> {
    const news = this.news;
    const { state } = await this.#ask(name, input);
    if (news === this.news) this.follow(state);
  }

  /** @throws RostrumError; after `stale` it is asked where one stands */
  async #ask<Name extends CommandName>(name: Name, input: CommandInput<Name>): Promise<CommandOutput<Name>> {
    if (this.closed) throw new RostrumError('unavailable', errorTable.unavailable.message);
    try {
      return await this.connection.request(name, input);
    } catch (error) {
      if (codeOf(error) === 'stale') this.sync();
      throw error;
    }
  }

  #present(): CallFacts {
    if (this.facts === undefined) throw new RostrumError('stale', errorTable.stale.message);
    return this.facts;
  }

  #statusChanged(status: ConnectionStatus): void {
    if (status === 'closed') {
      const inside = this.isSearching || this.facts !== undefined;
      this.leave();
      if (inside) this.become(phaseAfterClose(this.connection.closeReason ?? 'by-client'));
    } else this.changed();
  }
}
