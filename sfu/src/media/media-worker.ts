import type { Limits } from '@rostrum/shared/limits.ts';
import type { types } from 'mediasoup';
import * as mediasoup from 'mediasoup';
import type { Logger } from '../runtime/logger.ts';
import type { WorkerLoad } from './media-plane.ts';

export type MediaLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A room's media on a worker, as the worker and the pool see it. */
export type Tenant = {
  load(): { readonly transports: number; readonly producers: number; readonly consumers: number };
  /** Streams that this room may come to send to the listeners it has (MD-3). */
  reservedStreams(): number;
  /** The worker is dead, and with it everything this room had there. */
  lost(): void;
};

export type MediaWorkerOptions = {
  readonly index: number;
  readonly limits: Limits;
  readonly logger: MediaLogger;
  readonly listenInfos: types.TransportListenInfo[];
  readonly workerBin: string | undefined;
  /** Called once when the process died by itself, before its tenants are told. */
  readonly died: () => void;
};

/** A request counts as unanswered after this many ticks; see `#watch`. */
const answerTicks = 5;

/** One running mediasoup worker: a process, its WebRtcServer, and the rooms it serves. */
export class MediaWorker {
  readonly index: number;
  readonly #worker: types.Worker;
  readonly #server: types.WebRtcServer;
  readonly #options: MediaWorkerOptions;
  readonly #tenants = new Set<Tenant>();
  readonly #watchTimer: NodeJS.Timeout;
  #unanswered = 0;
  #silentTicks = 0;

  /**
   * Starts a worker process, and its WebRtcServer on the port of `listenInfos`. Rejects when the process does not start
   * or a socket cannot be opened; then nothing is left running.
   */
  static async start(options: MediaWorkerOptions): Promise<MediaWorker> {
    const worker = await createWorkerWithoutSignals(options.workerBin);
    try {
      const server = await worker.createWebRtcServer({ listenInfos: options.listenInfos });
      return new MediaWorker(worker, server, options);
    } catch (error) {
      await closeProcess(worker, options.limits.workerAnswerMs);
      throw error;
    }
  }

  private constructor(worker: types.Worker, server: types.WebRtcServer, options: MediaWorkerOptions) {
    this.index = options.index;
    this.#worker = worker;
    this.#server = server;
    this.#options = options;
    this.#watchTimer = setInterval(() => this.#watch(), options.limits.workerAnswerMs / answerTicks).unref();
    worker.on('died', (error) => this.#died(error));
  }

  get pid(): number {
    return this.#worker.pid;
  }

  get closed(): boolean {
    return this.#worker.closed;
  }

  createRouter(mediaCodecs: types.RouterRtpCodecCapability[]): Promise<types.Router> {
    return this.ask(() => this.#worker.createRouter({ mediaCodecs }));
  }

  /** A transport for one direction of one person's audio (MD-7): UDP first, TCP where UDP does not pass, no data channels. */
  createTransport(router: types.Router): Promise<types.WebRtcTransport> {
    return this.ask(() =>
      router.createWebRtcTransport({
        webRtcServer: this.#server,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        enableSctp: false,
      }),
    );
  }

  /**
   * One end of a pipe, with a port of its own. Encrypted, as machines may lie between the ends; without retransmission,
   * which would hold packets of speech back on the way to everybody.
   */
  createPipe(router: types.Router, listenInfo: types.TransportListenInfo): Promise<types.PipeTransport> {
    return this.ask(() =>
      router.createPipeTransport({ listenInfo, enableSrtp: true, enableRtx: false, enableSctp: false }),
    );
  }

  /** Waits for an answer of this worker. If it stops answering it is killed, and the request rejects like all others. */
  async ask<T>(request: () => Promise<T>): Promise<T> {
    this.#unanswered += 1;
    try {
      const answer = await request();
      // Only a success shows that the worker lives: mediasoup refuses some requests without asking it.
      this.#silentTicks = 0;
      return answer;
    } finally {
      this.#unanswered -= 1;
    }
  }

  admit(tenant: Tenant): void {
    this.#tenants.add(tenant);
  }

  leave(tenant: Tenant): void {
    this.#tenants.delete(tenant);
  }

  get rooms(): number {
    return this.#tenants.size;
  }

  reservedStreams(): number {
    let streams = 0;
    for (const tenant of this.#tenants) streams += tenant.reservedStreams();
    return streams;
  }

  load(): WorkerLoad {
    const load = { index: this.index, pid: this.pid, rooms: this.rooms, transports: 0, producers: 0, consumers: 0 };
    for (const tenant of this.#tenants) {
      const of = tenant.load();
      load.transports += of.transports;
      load.producers += of.producers;
      load.consumers += of.consumers;
    }
    return load;
  }

  /** Closes the worker and resolves when its process is gone. */
  async close(): Promise<void> {
    clearInterval(this.#watchTimer);
    await closeProcess(this.#worker, this.#options.limits.workerAnswerMs);
  }

  /**
   * A stopped or hung worker never answers, and nobody else says so. It is killed when requests wait and none was
   * answered for five ticks; an idle worker is asked something, so that it is found even when nobody asks. Ticks are counted
   * rather than time measured: when this process was the one that stopped (a suspended laptop), it has lost only one tick.
   */
  #watch(): void {
    if (this.#worker.closed) return;
    if (this.#unanswered === 0) {
      this.#silentTicks = 0;
      this.ask(() => this.#worker.getResourceUsage()).catch(() => undefined);
      return;
    }
    this.#silentTicks += 1;
    if (this.#silentTicks <= answerTicks) return;
    this.#silentTicks = 0;
    const { limits, logger } = this.#options;
    logger.error(
      { worker: this.index, pid: this.pid, afterMs: limits.workerAnswerMs },
      'a media worker does not answer and is killed',
    );
    kill(this.#worker);
  }

  #died(error: Error): void {
    clearInterval(this.#watchTimer);
    const tenants = [...this.#tenants];
    this.#options.logger.error(
      { worker: this.index, pid: this.pid, rooms: tenants.length, err: error },
      'a media worker died',
    );
    this.#tenants.clear();
    this.#options.died();
    for (const tenant of tenants) tenant.lost();
  }
}

/**
 * mediasoup makes every worker close itself on SIGINT and SIGTERM. A server that drains needs its workers until the last
 * room has ended, so exactly the listeners that mediasoup added are taken away again. It adds them before
 * `createWorker` first waits, so nothing else can have added one in between.
 */
const createWorkerWithoutSignals = (workerBin: string | undefined): Promise<types.Worker> => {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = signals.map((signal) => new Set(process.rawListeners(signal)));
  const starting = mediasoup.createWorker({ logLevel: 'error', ...(workerBin === undefined ? {} : { workerBin }) });
  signals.forEach((signal, index) => {
    for (const listener of process.rawListeners(signal)) {
      if (!before[index]?.has(listener)) process.off(signal, listener as NodeJS.SignalsListener);
    }
  });
  return starting;
};

/** Closes a worker and waits for its process to exit; one that does not within `patienceMs` is killed. */
const closeProcess = async (worker: types.Worker, patienceMs: number): Promise<void> => {
  const exited = new Promise<void>((resolve) => {
    if (worker.subprocessClosed) resolve();
    else worker.once('subprocessclose', resolve);
  });
  worker.close();
  const impatience = setTimeout(() => kill(worker), patienceMs);
  await exited;
  clearTimeout(impatience);
};

const kill = (worker: types.Worker): void => {
  try {
    // By pid, and only while mediasoup has not seen the process exit: until then the pid cannot belong to another.
    if (!worker.subprocessClosed) process.kill(worker.pid, 'SIGKILL');
  } catch {
    // It exited this moment.
  }
};
