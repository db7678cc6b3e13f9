import type { Limits } from '@rostrum/shared/limits.ts';
import type { types } from 'mediasoup';
import type { Logger } from '../runtime/logger.ts';
import type { MediaCounters } from './media-counters.ts';
import type { WorkerLoad } from './media-plane.ts';
import { answerTicks, judgeSilence } from './silence.ts';
import type { Tenant } from './tenant.ts';
import { TrafficSampler } from './traffic-sampler.ts';
import { WorkerGauge } from './worker-gauge.ts';
import { closeWorker, killWorker, lookAtProcess, startWorker, type WorkerProcess } from './worker-process.ts';

export type { ForwardedVoice, Tenant } from './tenant.ts';

export type MediaLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export type MediaWorkerOptions = {
  readonly index: number;
  readonly limits: Limits;
  readonly logger: MediaLogger;
  readonly listenInfos: types.TransportListenInfo[];
  readonly workerBin: string | undefined;
  readonly counters: MediaCounters;
  /** Called once when the process died by itself, before its tenants are told. */
  readonly died: () => void;
};

/** One running mediasoup worker: a process, its WebRtcServer, and the routers on it. */
export class MediaWorker {
  readonly index: number;
  readonly #process: WorkerProcess;
  readonly #worker: types.Worker;
  readonly #server: types.WebRtcServer;
  readonly #options: MediaWorkerOptions;
  readonly #tenants = new Set<Tenant>();
  readonly #gauge: WorkerGauge;
  readonly #watchTimer: NodeJS.Timeout;
  #unanswered = 0;
  #silentTicks = 0;
  /** At the last look at its process. */
  #systemMs = 0;
  #killed = false;

  /**
   * Starts a worker process, and its WebRtcServer on the port of `listenInfos`. Rejects when the process does not start
   * or a socket cannot be opened; then nothing is left running.
   */
  static async start(options: MediaWorkerOptions): Promise<MediaWorker> {
    const { workerBin, listenInfos, limits } = options;
    const { server, ...process } = await startWorker({ workerBin, listenInfos, patienceMs: limits.workerAnswerMs });
    return new MediaWorker(process, server, options);
  }

  private constructor(process: WorkerProcess, server: types.WebRtcServer, options: MediaWorkerOptions) {
    this.index = options.index;
    this.#process = process;
    this.#worker = process.worker;
    this.#server = server;
    this.#options = options;
    const ask = <T>(request: () => Promise<T>) => this.ask(request);
    this.#gauge = new WorkerGauge({
      limits: options.limits,
      usage: () => ask(() => this.#worker.getResourceUsage()),
      cpuMs: async () => (await lookAtProcess(this.pid))?.cpuMs,
      traffic: new TrafficSampler({ tenants: this.#tenants, ask, counters: options.counters }),
    });
    this.#watchTimer = setInterval(() => this.#watch(), options.limits.workerAnswerMs / answerTicks).unref();
    this.#worker.on('died', (error) => this.#died(error));
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
   * One end of a pipe, with a port of its own: encrypted where machines may lie between the ends (`srtp`), and not between two
   * workers of this one. Without retransmission, which would hold packets of speech back on the way to everybody.
   */
  createPipe(
    router: types.Router,
    listenInfo: types.TransportListenInfo,
    { srtp }: { readonly srtp: boolean },
  ): Promise<types.PipeTransport> {
    return this.ask(() =>
      router.createPipeTransport({ listenInfo, enableSrtp: srtp, enableRtx: false, enableSctp: false }),
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

  /** Routers that are open here, or about to be. */
  get routers(): number {
    return this.#tenants.size;
  }

  /** Packets a second that its listeners may come to cost (MD-3). */
  reserved(): number {
    let packets = 0;
    for (const tenant of this.#tenants) packets += tenant.reserved();
    return packets;
  }

  /** Packets a second that it is taken to forward in real time: see `WorkerGauge`. */
  capacity(): number {
    return this.#gauge.capacity;
  }

  /** Whether it has no time left: nobody more is taken, and nobody inside loses anything. */
  get isSaturated(): boolean {
    return this.#gauge.isSaturated;
  }

  /** Whether it can come to forward so many packets a second more. */
  hasRoomFor(packets: number): boolean {
    return !this.isSaturated && this.reserved() + packets <= this.capacity();
  }

  load(): WorkerLoad {
    const load = { transports: 0, producers: 0, consumers: 0 };
    const rooms = new Set<string>();
    for (const tenant of this.#tenants) {
      const of = tenant.load();
      rooms.add(tenant.roomId);
      load.transports += of.transports;
      load.producers += of.producers;
      load.consumers += of.consumers;
    }
    return {
      ...{ index: this.index, pid: this.pid, rooms: rooms.size, ...load },
      ...{ cpu: this.#gauge.cpu, reserved: this.reserved(), capacity: this.capacity() },
    };
  }

  /** Closes the worker and resolves when its process is gone. */
  async close(): Promise<void> {
    this.#stopTimers();
    await closeWorker(this.#process, this.#options.limits.workerAnswerMs);
  }

  /**
   * A stopped or hung worker never answers, and nobody else says so. When requests wait and none is answered, its process is looked
   * at; an idle worker is asked something, so that it is found even when nobody asks.
   */
  #watch(): void {
    if (this.#worker.closed) return;
    if (this.#unanswered === 0) {
      this.#silentTicks = 0;
      this.ask(() => this.#worker.getResourceUsage()).catch(() => undefined);
      return;
    }
    this.#silentTicks += 1;
    // Never rejects.
    void this.#judgeSilence();
  }

  async #judgeSilence(): Promise<void> {
    const seen = await lookAtProcess(this.pid);
    const isWorking = seen !== undefined && seen.systemMs > this.#systemMs;
    this.#systemMs = seen?.systemMs ?? 0;
    const verdict = judgeSilence(this.#silentTicks, { isStopped: seen?.isStopped ?? false, isWorking });
    if (verdict !== 'wait') this.#kill(verdict);
  }

  #kill(why: string): void {
    if (this.#killed || this.#worker.closed) return;
    this.#killed = true;
    this.#options.logger.error({ worker: this.index, pid: this.pid }, `a media worker ${why} and is killed`);
    killWorker(this.#process.child);
  }

  #died(error: Error): void {
    this.#stopTimers();
    const { logger, counters, died } = this.#options;
    const tenants = [...this.#tenants];
    logger.error({ worker: this.index, pid: this.pid, routers: tenants.length, err: error }, 'a media worker died');
    counters.workerDied(this.#killed);
    this.#tenants.clear();
    died();
    for (const tenant of tenants) {
      try {
        tenant.lost();
      } catch (failed) {
        // The other rooms are to hear of it all the same.
        logger.error({ roomId: tenant.roomId, err: failed }, 'a room could not deal with the loss of its worker');
      }
    }
  }

  #stopTimers(): void {
    clearInterval(this.#watchTimer);
    this.#gauge.stop();
  }
}
