import { AudienceBranch } from './audience-branch.ts';
import type { MediaWorker } from './media-worker.ts';
import type { PipeSettings } from './pipe-half.ts';
import { type ListenerPlacement, placeForListener } from './placement.ts';
import type { Receiver } from './receiver.ts';
import type { SharedContext } from './room-context.ts';
import type { StageVoices } from './stage-voices.ts';

export type RoomAudienceOptions = {
  readonly shared: SharedContext;
  /** The workers that run. */
  readonly workers: () => readonly MediaWorker[];
  readonly relays: Pick<PipeSettings, 'listenInfo'>;
  readonly voices: () => StageVoices;
  /** Packets a second that one listener may come to cost. */
  readonly listenerCost: () => number;
  /** Every listener at some router was given this voice; `isGiven` says whether at all of them. */
  readonly given: (producerId: string) => void;
  /** A router is gone. */
  readonly closed: () => void;
  readonly lost: (worker: MediaWorker) => void;
};

/**
 * The routers for the audience of a room (MD-2): none in a small room, and at most one a worker. They open when somebody is placed
 * there, and close when nobody was for a while. From the first decision that the room is split until the last of them closed, its
 * audience belongs there.
 */
export class RoomAudience {
  readonly #options: RoomAudienceOptions;
  readonly #branches = new Map<MediaWorker, AudienceBranch>();
  #isSplit = false;

  constructor(options: RoomAudienceOptions) {
    this.#options = options;
  }

  get isSplit(): boolean {
    return this.#isSplit;
  }

  split(): void {
    this.#isSplit = true;
  }

  /** The router at which this one listens. */
  of(receiver: Receiver | undefined): AudienceBranch | undefined {
    if (receiver === undefined) return undefined;
    // Asked of everybody who listens whenever the room changes: nothing is made for it.
    for (const audience of this.#branches.values()) if (audience.branch.receivers.has(receiver)) return audience;
    return undefined;
  }

  /** Whether every listener at every router was given this voice. */
  isGiven(producerId: string): boolean {
    return [...this.#branches.values()].every(({ branch }) => branch.voices.isGiven(producerId));
  }

  /** Whether there is room for one more. */
  hasRoom(): boolean {
    return this.#place(false) !== undefined;
  }

  /** The router for one more who listens, opened if need be; undefined where no worker has room, or, for one who is inside, none runs. */
  place(isInside: boolean): AudienceBranch | undefined {
    const worker = this.#place(isInside);
    return worker && (this.#branches.get(worker) ?? this.#open(worker));
  }

  #place(isInside: boolean): MediaWorker | undefined {
    const cost = this.#options.listenerCost();
    // A relay is sent what one listener is.
    const placement: ListenerPlacement = { listener: cost, relay: cost, isInside };
    const places = this.#options.workers().map((worker) => ({
      worker,
      reserved: worker.reserved(),
      isOpen: this.#branches.has(worker),
      hasRoomFor: (packets: number) => worker.hasRoomFor(packets),
    }));
    return placeForListener(places, placement)?.worker;
  }

  #open(worker: MediaWorker): AudienceBranch {
    const { shared, relays, listenerCost, given, lost, voices } = this.#options;
    const opened = new AudienceBranch({
      shared,
      worker,
      relays,
      listenerCost,
      given,
      idle: () => this.#leave(worker),
      lost: () => lost(worker),
    });
    this.#branches.set(worker, opened);
    opened.feedFrom(voices());
    return opened;
  }

  /** The stage is at another router now. */
  feedFrom(voices: StageVoices): void {
    for (const branch of this.#branches.values()) branch.feedFrom(voices);
  }

  /** This worker died, and a router on it. Those who listened there come back, so the room stays split. */
  lose(worker: MediaWorker): void {
    const branch = this.#branches.get(worker);
    if (branch === undefined) return;
    this.#branches.delete(worker);
    branch.close();
    this.#options.closed();
  }

  /** Nobody listens at the router on this worker any more. With the last of them the room is small again. */
  #leave(worker: MediaWorker): void {
    if (this.#branches.size === 1) this.#isSplit = false;
    this.lose(worker);
  }

  close(): void {
    for (const branch of this.#branches.values()) branch.close();
    this.#branches.clear();
  }
}
