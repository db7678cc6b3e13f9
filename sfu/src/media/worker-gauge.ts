import { performance } from 'node:perf_hooks';
import type { Limits } from '@rostrum/shared/limits.ts';
import type { types } from 'mediasoup';
import { calibrate, capacityAt, nominalCost } from './calibration.ts';
import { lateMs, notSaturated, saturate, type WorkerLook } from './saturation.ts';
import type { TrafficSampler } from './traffic-sampler.ts';

/** How often a worker is looked at. Often enough to refuse before anybody suffers, seldom enough to cost nothing. */
const lookMs = 1000;

/** Time and packets are compared over at least so long, and until every voice was looked at: what one look sees is chance. */
const leastWindowMs = 10_000;

export type WorkerGaugeOptions = {
  readonly limits: Limits;
  /** Asks the worker what it used; rejects when it is dead. */
  readonly usage: () => Promise<types.WorkerResourceUsage>;
  /** Its time on a core as the system has it, in milliseconds, without asking it; undefined where that is not known. Never rejects. */
  readonly cpuMs: () => Promise<number | undefined>;
  readonly traffic: TrafficSampler;
};

/** What the worker had used at a moment; times in milliseconds. */
type Reading = { readonly at: number; readonly cpuMs: number; readonly sleeps: number };

/** How busy a worker is, and how much it can forward (MD-3). */
export class WorkerGauge {
  readonly #options: WorkerGaugeOptions;
  readonly #timer: NodeJS.Timeout;
  /** When the answer that is on its way was asked for, by how long this process had slept until then. */
  #asked: ReturnType<typeof performance.eventLoopUtilization> | undefined;
  #last: Reading | undefined;
  /** What the system said while the worker did not answer. */
  #fromOutside: Pick<Reading, 'at' | 'cpuMs'> | undefined;
  #window: { readonly since: Reading; sent: number; looked: number } | undefined;
  #cpu = 0;
  #saturation = notSaturated;
  #cost: number;

  constructor(options: WorkerGaugeOptions) {
    this.#options = options;
    this.#cost = nominalCost(options.limits);
    this.#timer = setInterval(() => this.#tick(), lookMs).unref();
    void this.#look();
  }

  /** Share of a core that the worker used in the last second, 0 to 1. */
  get cpu(): number {
    return this.#cpu;
  }

  /** Packets a second that it is taken to send in real time. */
  get capacity(): number {
    return capacityAt(this.#cost, this.#options.limits);
  }

  get isSaturated(): boolean {
    return this.#saturation.isSaturated;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.#asked === undefined) {
      this.#fromOutside = undefined;
      void this.#look();
      return;
    }
    this.#judge(unanswered(performance.eventLoopUtilization(this.#asked).idle));
    void this.#lookFromOutside();
  }

  /** A worker that has too much to do answers late, and is the one of which the operator wants to know. Never rejects. */
  async #lookFromOutside(): Promise<void> {
    const cpuMs = await this.#options.cpuMs();
    if (cpuMs === undefined) return;
    const last = this.#fromOutside;
    const at = performance.now();
    this.#fromOutside = { at, cpuMs };
    if (last !== undefined) this.#cpu = (cpuMs - last.cpuMs) / (at - last.at);
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    // An answer counts as late by the time in which this process had nothing to do but wait for it, not by its own slowness.
    const asked = performance.eventLoopUtilization();
    const askedAt = performance.now();
    this.#asked = asked;
    try {
      const usage = await this.#options.usage();
      const answerMs = performance.eventLoopUtilization(asked).idle;
      const at = performance.now();
      // Of one that was long on its way it is not known of which moment it is: it is no measure of anything but itself.
      if (at - askedAt > lateMs) this.#readLate(answerMs);
      else this.#read({ at, cpuMs: usage.ru_utime + usage.ru_stime, sleeps: usage.ru_nvcsw }, answerMs);
    } catch {
      // The worker is dead, and whoever has it is told.
      return;
    } finally {
      this.#asked = undefined;
    }
    const { sent, looked, voices } = await this.#options.traffic.look();
    if (this.#window === undefined) return;
    this.#window.sent += sent;
    this.#window.looked += looked;
    this.#measure(voices);
  }

  #readLate(answerMs: number): void {
    this.#last = undefined;
    this.#window = undefined;
    this.#judge(unanswered(answerMs));
  }

  #read(reading: Reading, answerMs: number): void {
    const last = this.#last;
    this.#last = reading;
    this.#window ??= { since: reading, sent: 0, looked: 0 };
    if (last === undefined) return;
    const ms = reading.at - last.at;
    this.#cpu = (reading.cpuMs - last.cpuMs) / ms;
    this.#judge({ cpu: this.#cpu, sleeps: ((reading.sleeps - last.sleeps) * 1000) / ms, answerMs });
  }

  #judge(look: WorkerLook): void {
    this.#saturation = saturate(this.#saturation, look, this.#options.limits.workerCpuPercent / 100);
  }

  #measure(voices: number): void {
    const window = this.#window;
    const last = this.#last;
    if (window === undefined || last === undefined) return;
    const ms = last.at - window.since.at;
    if (ms < leastWindowMs || window.looked < voices) return;
    const work = { cpuS: (last.cpuMs - window.since.cpuMs) / 1000, seconds: ms / 1000, packets: window.sent };
    this.#cost = calibrate(this.#cost, work, this.#options.limits);
    this.#window = { since: last, sent: 0, looked: 0 };
  }
}

/** What is known of a worker while it has not answered. */
const unanswered = (answerMs: number): WorkerLook => ({ cpu: 0, sleeps: Infinity, answerMs });
