import type { MediaFigures } from './media-plane.ts';

/** Loss and jitter are a mean of so many reports: those of about a minute with one worker, of a few seconds with many. */
const samplesKept = 240;

/** What one listener reported of a voice it is sent (RFC 3550 section 6.4.1). */
export type ListenerReport = {
  /** Share of packets lost since the report before, 0 to 1. */
  readonly loss: number;
  /** In seconds. */
  readonly jitter: number;
};

/** What media counts of itself (OP-1): one for a node, from its start. */
export class MediaCounters {
  #packetsReceived = 0;
  #packetsLost = 0;
  #packetsForwarded = 0;
  #gateSwitches = 0;
  #workerDeaths = 0;
  #workersKilled = 0;
  #seatsLost = 0;
  #audienceRouters = 0;
  #refusedFull = 0;
  readonly #reports: ListenerReport[] = [];

  /** The stage gate let a voice in or took one out, at one router (MD-6). */
  gateSwitched(): void {
    this.#gateSwitches += 1;
  }

  /** Somebody was refused since there was no room (MD-3). */
  refusedFull(): void {
    this.#refusedFull += 1;
  }

  /** So many seats lost media with a worker (MD-8). */
  seatsLost(seats: number): void {
    this.#seatsLost += seats;
  }

  /** A worker died by itself, or was killed as it did not answer. */
  workerDied(killed: boolean): void {
    this.#workerDeaths += 1;
    if (killed) this.#workersKilled += 1;
  }

  /** A router for an audience opened (MD-2). */
  audienceOpened(): void {
    this.#audienceRouters += 1;
  }

  /** A router for an audience closed, or was lost with its worker. */
  audienceClosed(): void {
    this.#audienceRouters -= 1;
  }

  /** Packets of microphones that arrived, and that were lost on their way here. */
  packetsCame(received: number, lost: number): void {
    this.#packetsReceived += received;
    this.#packetsLost += lost;
  }

  packetsWent(forwarded: number): void {
    this.#packetsForwarded += forwarded;
  }

  listenerReported(report: ListenerReport): void {
    this.#reports.push(report);
    if (this.#reports.length > samplesKept) this.#reports.shift();
  }

  figures(): MediaFigures {
    return {
      packetsReceived: this.#packetsReceived,
      packetsLost: this.#packetsLost,
      packetsForwarded: this.#packetsForwarded,
      listenerLoss: mean(this.#reports.map(({ loss }) => loss)),
      listenerJitter: mean(this.#reports.map(({ jitter }) => jitter)),
      gateSwitches: this.#gateSwitches,
      workerDeaths: this.#workerDeaths,
      workersKilled: this.#workersKilled,
      seatsLost: this.#seatsLost,
      audienceRouters: this.#audienceRouters,
      refusedFull: this.#refusedFull,
    };
  }
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
