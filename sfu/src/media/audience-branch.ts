import type { Result } from '@rostrum/shared/result.ts';
import type { types } from 'mediasoup';
import type { Listening } from './media-plane.ts';
import type { ForwardedVoice, MediaWorker, Tenant } from './media-worker.ts';
import type { PipeSettings } from './pipe-half.ts';
import type { Receiver } from './receiver.ts';
import type { Relay } from './relay.ts';
import type { RelayedVoice } from './relayed-voice.ts';
import { RoomBranch } from './room-branch.ts';
import type { SharedContext } from './room-context.ts';
import type { StageVoices } from './stage-voices.ts';

export type AudienceBranchOptions = {
  readonly shared: SharedContext;
  readonly worker: MediaWorker;
  readonly relays: Pick<PipeSettings, 'listenInfo'>;
  /** Packets a second that one listener here may come to cost. */
  readonly listenerCost: () => number;
  readonly given: (producerId: string) => void;
  /** Nobody has listened here for `audienceIdleMs`. */
  readonly idle: () => void;
  /** The worker died. */
  readonly lost: () => void;
};

/** A listener's answer waits no longer than this for the voices to be here, in milliseconds; they follow by an event then. */
const relayPatienceMs = 500;

/** A router for the audience of a room on one worker, with the relay that brings it the voices of the stage (MD-2). */
export class AudienceBranch implements Tenant {
  readonly branch: RoomBranch<RelayedVoice>;
  readonly #options: AudienceBranchOptions;
  #relay: Relay | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: AudienceBranchOptions) {
    const { shared, worker } = options;
    this.#options = options;
    this.branch = new RoomBranch<RelayedVoice>({
      shared,
      worker,
      given: ({ producerId }) => options.given(producerId),
      counted: () => this.#watchIdleness(),
    });
    worker.admit(this);
    shared.counters.audienceOpened();
    this.#watchIdleness();
  }

  get roomId(): string {
    return this.#options.shared.roomId;
  }

  get worker(): MediaWorker {
    return this.#options.worker;
  }

  /** Brings the voices of this stage here from now on, in place of those of one before. */
  feedFrom(stage: StageVoices): void {
    this.#relay?.close();
    const { context: to, voices } = this.branch;
    this.#relay = stage.relayTo({ to, voices, settings: this.#options.relays });
  }

  listen(receiver: Receiver): Promise<Result<Listening>> {
    return this.branch.listen(receiver, this.#voicesCame());
  }

  load(): { transports: number; producers: number; consumers: number } {
    const { transports, consumers } = this.branch.load();
    const relay = this.#relay?.isOpen ? 1 : 0;
    return { transports: transports + relay, producers: this.#relay?.streamCount ?? 0, consumers };
  }

  reserved(): number {
    return this.branch.receivers.size * this.#options.listenerCost();
  }

  forwarded(): ForwardedVoice[] {
    return [...this.branch.voices.all.values()].map(({ producer, userId, isSent }) => ({
      producer,
      streams: isSent ? this.branch.hearing(userId) : 0,
      isMicrophone: false,
    }));
  }

  *heard(): Iterable<types.Consumer> {
    const sent = [...this.branch.voices.all.values()]
      .filter(({ isSent }) => isSent)
      .map(({ producerId }) => producerId);
    for (const receiver of this.branch.receivers) {
      const consumer = receiver.consumerOf(sent);
      if (consumer !== undefined) yield consumer;
    }
  }

  lost(): void {
    // With the other router of this room that was there.
    if (!this.branch.closed) this.#options.lost();
  }

  close(): void {
    if (this.branch.closed) return;
    clearTimeout(this.#idleTimer);
    this.#relay?.close();
    this.branch.close();
    this.worker.leave(this);
    this.#options.shared.counters.audienceClosed();
  }

  async #voicesCame(): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, relayPatienceMs);
    await Promise.race([this.#relay?.ready, patience.promise]);
    clearTimeout(timer);
  }

  #watchIdleness(): void {
    clearTimeout(this.#idleTimer);
    if (this.branch.closed || this.branch.receivers.size > 0) return;
    this.#idleTimer = setTimeout(this.#options.idle, this.#options.shared.limits.audienceIdleMs).unref();
  }
}
