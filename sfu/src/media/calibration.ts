import type { Limits } from '@rostrum/shared/limits.ts';

type CapacityLimits = Pick<Limits, 'packetsPerWorker' | 'workerCpuPercent'>;

/** What a worker did for some time. */
export type WorkDone = {
  /** Time on a core, in seconds. */
  readonly cpuS: number;
  /** Over which time, in seconds. */
  readonly seconds: number;
  /** Packets that it sent. */
  readonly packets: number;
};

/** Less traffic says nothing: what a worker does besides would count as the cost of a few packets. */
const leastPacketsPerSecond = 4000;
const leastCpu = 0.05;

/**
 * A packet is the cheaper the more there are (measured: 15 µs at 5,000 a second, 12 at 10,000, 9 at 50,000), so a worker with
 * little to do only shows that it costs no more than this. That it costs more than was thought is believed from this share of the mark.
 */
const credibleShare = 0.5;

/** Weight of the latest measurement: half of what is known is of the last half minute, at one in 10 s. */
const weight = 0.2;

/** The measurement moves the capacity by no more than this factor up or down, whatever went wrong with it. */
const furthest = 3;

/** Time on a core that a packet costs before it was measured, in seconds: what `packetsPerWorker` says. */
export const nominalCost = ({ packetsPerWorker, workerCpuPercent }: CapacityLimits): number =>
  workerCpuPercent / 100 / packetsPerWorker;

/** What a packet costs, in seconds on a core, after one more measurement (MD-3). Pure. */
export const calibrate = (cost: number, { cpuS, seconds, packets }: WorkDone, limits: CapacityLimits): number => {
  if (packets < leastPacketsPerSecond * seconds || cpuS < leastCpu * seconds) return cost;
  const nominal = nominalCost(limits);
  // Bounded before it is mixed in, so that no measurement, however wrong, is remembered for long.
  const measured = Math.min(Math.max(cpuS / packets, nominal / furthest), nominal * furthest);
  const isBusy = cpuS >= credibleShare * (limits.workerCpuPercent / 100) * seconds;
  return measured > cost && !isBusy ? cost : cost + weight * (measured - cost);
};

/** Packets a second that a worker can send without being busier than the mark, at this cost of a packet. Pure. */
export const capacityAt = (cost: number, { workerCpuPercent }: CapacityLimits): number =>
  Math.round(workerCpuPercent / 100 / cost);
