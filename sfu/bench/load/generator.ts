import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { HistogramFigures } from './histogram.ts';
import type { Metronome } from './metronome.ts';
import type { UdpDrops } from './udp-drops.ts';

/** How finely the delay of the event loop is measured, in milliseconds. */
const resolution = 10;
/** How often the sockets are looked at for datagrams that found no room, in milliseconds. */
const lookMs = 5000;

/** What one process of the load used, and where it was too slow itself. */
export type GeneratorFigures = {
  /** Share of a core that it used. */
  readonly cpu: number;
  readonly rssMb: number;
  /** How late the event loop was, in milliseconds. */
  readonly delayP50: number;
  readonly delayP99: number;
  readonly delayMax: number;
  /** Datagrams that the server sent and that found no room in a socket here. */
  readonly droppedDatagrams: number;
  /** How late microphones sent. */
  readonly late: HistogramFigures;
};

/** Watches this process, so that a load that could not keep up is not taken for a server that could not. */
export class Generator {
  readonly #delay = monitorEventLoopDelay({ resolution });
  readonly #metronome: Metronome;
  readonly #drops: UdpDrops;
  readonly #timer: NodeJS.Timeout;
  #begunAt = performance.now();
  #cpu = process.cpuUsage();

  constructor(metronome: Metronome, drops: UdpDrops) {
    this.#metronome = metronome;
    this.#drops = drops;
    this.#delay.enable();
    this.#timer = setInterval(() => void drops.look(), lookMs).unref();
  }

  /** What comes before this is no part of the figures, but for what is counted. */
  begin(): void {
    this.#begunAt = performance.now();
    this.#cpu = process.cpuUsage();
    this.#delay.reset();
  }

  /** What it has been like since `begin`. */
  async figures(): Promise<GeneratorFigures> {
    await this.#drops.look();
    const { user, system } = process.cpuUsage(this.#cpu);
    const ms = performance.now() - this.#begunAt;
    return {
      cpu: (user + system) / 1000 / ms,
      rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
      delayP50: this.#delayOf(50),
      delayP99: this.#delayOf(99),
      delayMax: Math.max(0, this.#delay.max / 1e6 - resolution),
      droppedDatagrams: this.#drops.total,
      late: this.#metronome.late.figures(),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  /** What is measured is the time between two looks, that which was meant to be in between included. */
  #delayOf(percentile: number): number {
    return Math.max(0, this.#delay.percentile(percentile) / 1e6 - resolution);
  }
}
