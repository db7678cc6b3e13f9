import type { Limits } from '@rostrum/shared/limits.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import type { types } from 'mediasoup';
import { backOffMs } from './back-off.ts';
import type { MediaCounters } from './media-counters.ts';
import type { WorkerLoad } from './media-plane.ts';
import { type MediaLogger, MediaWorker } from './media-worker.ts';
import { listenerCost } from './reservation.ts';

export type WorkerPoolOptions = {
  readonly workers: number;
  readonly limits: Limits;
  readonly logger: MediaLogger;
  readonly workerBin: string | undefined;
  readonly counters: MediaCounters;
  /** Where the worker of this index listens. Asked at every start, as a laptop's addresses change. */
  readonly listenInfos: (index: number) => types.TransportListenInfo[];
};

/** A place in the pool: its worker, or the next attempt to have one. */
type Slot = {
  readonly index: number;
  state:
    | { readonly name: 'running'; readonly worker: MediaWorker; readonly since: number }
    | { readonly name: 'starting'; readonly done: Promise<void> }
    | { readonly name: 'waiting'; readonly timer: NodeJS.Timeout }
    | { readonly name: 'closed' };
  /** Times in a row that this slot's worker died young or did not start. */
  failures: number;
};

/** A worker that lived this long was sound: its death is not one of a series. */
const soundAfterMs = 10_000;

/** So many failures in a row are a series: whatever kills it is still there. One or two are bad luck. */
const seriesOf = 3;

/**
 * How long to wait before the next start after this many failures in a row. The first worker that dies is replaced at
 * once, since people wait for it; a series (a full disk, a port that another program took) is tried ever less often.
 */
export const restartDelayMs = (failures: number): number => backOffMs(failures, 10_000);

/** The workers of this node (MD-1): started together, placed on by load (MD-3), replaced when they die (MD-8). */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: Slot[];
  /** Placements that wait for a worker to come back. */
  readonly #waiting = new Set<() => void>();

  /** Starts every worker. Rejects when one does not start, and then leaves none behind. */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    const started = await Promise.allSettled(pool.#slots.map((slot) => pool.#launch(slot)));
    const failed = started.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      await pool.close();
      const why = failed.reason instanceof Error ? failed.reason.message : 'for no reason given';
      throw new Error(`The media workers could not be started: ${why}`, { cause: failed.reason });
    }
    return pool;
  }

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      index,
      state: { name: 'closed' },
      failures: 0,
    }));
  }

  /** The workers that run now, in the order of their ports. */
  running(): readonly MediaWorker[] {
    return this.#slots.flatMap(({ state }) => (state.name === 'running' ? [state.worker] : []));
  }

  /**
   * The worker for a new room, of which so many packets a second will be reserved: the least loaded that has room for them. Refuses
   * with `node_full` where none has, `unavailable` where none runs and none came back within a second.
   */
  async place(packets: number): Promise<Result<MediaWorker>> {
    if (this.running().length === 0) await this.#oneRunning();
    const running = this.running();
    if (running.length === 0) return refuse('unavailable');
    const worker = this.#leastOf(running.filter((candidate) => candidate.hasRoomFor(packets)));
    return worker === undefined ? refuse('node_full') : done(worker);
  }

  /** The worker for the stage of a room that lost its own: the least loaded, full or not, as those people are inside already. */
  leastLoaded(): MediaWorker | undefined {
    return this.#leastOf(this.running());
  }

  /**
   * Whether this node can take people: every worker runs, none of them has died again and again of late, and one has room for a
   * listener.
   */
  ready(): boolean {
    const { gateVoices } = this.#options.limits;
    const listener = listenerCost([], { voices: gateVoices, nextPacketMs: packetTimes.usual });
    return this.#slots.every(isSound) && this.running().some((worker) => worker.hasRoomFor(listener));
  }

  load(): WorkerLoad[] {
    return this.running().map((worker) => worker.load());
  }

  /** Closes every worker and resolves when all their processes are gone. */
  async close(): Promise<void> {
    const closing = this.#slots.map(async (slot) => {
      const before = slot.state;
      slot.state = { name: 'closed' };
      if (before.name === 'waiting') clearTimeout(before.timer);
      if (before.name === 'running') await before.worker.close();
      // A start that is under way sees that its slot is closed, and closes what it started.
      if (before.name === 'starting') await before.done;
    });
    await Promise.all(closing);
    this.#wake();
  }

  /**
   * Of these workers the one with the fewest packets reserved, among equals the one with the fewest routers; but one that is in a
   * series of deaths, or has no time left, only where there is no other.
   */
  #leastOf(workers: readonly MediaWorker[]): MediaWorker | undefined {
    const sound = new Set(
      this.#slots.flatMap((slot) => (slot.state.name === 'running' && isSound(slot) ? [slot.state.worker] : [])),
    );
    const [least] = workers
      .map((worker) => ({
        worker,
        reluctance: Number(!sound.has(worker)) + Number(worker.isSaturated),
        reserved: worker.reserved(),
      }))
      .sort(
        (one, other) =>
          one.reluctance - other.reluctance ||
          one.reserved - other.reserved ||
          one.worker.routers - other.worker.routers,
      );
    return least?.worker;
  }

  /** Starts the worker of a slot; rejects when it does not start. */
  async #launch(slot: Slot): Promise<void> {
    const { limits, logger, workerBin, counters, listenInfos } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const starting = { name: 'starting', done: promise } as const;
    slot.state = starting;
    try {
      const worker = await MediaWorker.start({
        index: slot.index,
        limits,
        logger,
        workerBin,
        counters,
        listenInfos: listenInfos(slot.index),
        died: () => this.#died(slot),
      });
      if (slot.state !== starting) {
        await worker.close();
        return;
      }
      if (worker.closed) throw new Error('it died as soon as it ran');
      slot.state = { name: 'running', worker, since: performance.now() };
      this.#wake();
    } finally {
      resolve();
    }
  }

  #died(slot: Slot): void {
    if (slot.state.name !== 'running') return;
    slot.failures = performance.now() - slot.state.since < soundAfterMs ? slot.failures + 1 : 1;
    this.#retry(slot);
  }

  #retry(slot: Slot): void {
    const delayMs = restartDelayMs(slot.failures);
    const start = () =>
      this.#launch(slot).catch((error: unknown) => {
        if (slot.state.name === 'closed') return;
        slot.failures += 1;
        this.#options.logger.error(
          { worker: slot.index, failures: slot.failures, err: error },
          'a media worker could not be started',
        );
        this.#retry(slot);
      });
    if (delayMs === 0) {
      void start();
      return;
    }
    slot.state = { name: 'waiting', timer: setTimeout(start, delayMs).unref() };
  }

  /** Resolves when a worker runs, or after the time in which a command must be answered (RE-4). */
  async #oneRunning(): Promise<void> {
    if (this.#slots.every(({ state }) => state.name === 'closed')) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiting.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, this.#options.limits.unavailableMs).unref();
      this.#waiting.add(finish);
    });
  }

  #wake(): void {
    for (const finish of [...this.#waiting]) finish();
  }
}

/** Whether it has a worker, and one that is not likely to be gone in a moment. */
const isSound = ({ state, failures }: Slot): boolean =>
  state.name === 'running' && (failures < seriesOf || performance.now() - state.since >= soundAfterMs);
