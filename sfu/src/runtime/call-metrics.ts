import type { CallEndReason, CallMode, CallRoute } from '@rostrum/shared/protocol/call.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { orUnknown } from './gauge-value.ts';

/** Figures of 1:1 calls for Prometheus (OP-1). */
export type CallMetrics = {
  /** Somebody found a partner after waiting so long, in milliseconds. */
  matched(mode: CallMode, waitedMs: number): void;
  connected(mode: CallMode, afterMs: number, route: CallRoute | undefined): void;
  ended(mode: CallMode, reason: CallEndReason): void;
  rated(rating: number): void;
  reported(): void;
};

/** Values that are read when Prometheus asks. */
export type CallGauges = {
  readonly counts: () => Promise<{ waiting: number; calls: number }>;
  readonly success: () => { share: number | undefined; alert: boolean };
};

/** Seconds: a match is instant or takes as long as somebody else needs to come, a minute at most (RQ-5). */
const waitBuckets = [0.005, 0.05, 0.25, 1, 2, 5, 10, 20, 40, 60];
/** Seconds, around the targets of 2, 3 and 5 s and the limit of 8 s (RD-3). */
const connectBuckets = [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 8];

export const createCallMetrics = (registry: Registry, gauges: CallGauges): CallMetrics => {
  const registers = [registry];
  const waits = new Histogram({
    name: 'rostrum_match_wait_seconds',
    help: 'Time in the queue until a partner was found',
    labelNames: ['mode'],
    buckets: waitBuckets,
    registers,
  });
  const connects = new Histogram({
    name: 'rostrum_call_connect_seconds',
    help: 'Time from the match until media flows on both sides',
    labelNames: ['mode'],
    buckets: connectBuckets,
    registers,
  });
  const routes = new Counter({
    name: 'rostrum_call_routes_total',
    help: 'Calls that connected, by the route that they took',
    labelNames: ['route'],
    registers,
  });
  const ends = new Counter({
    name: 'rostrum_calls_ended_total',
    help: 'Calls that ended, by reason',
    labelNames: ['mode', 'reason'],
    registers,
  });
  const ratings = new Counter({
    name: 'rostrum_call_ratings_total',
    help: 'Ratings of calls; 2 and less are signals for safety',
    labelNames: ['rating'],
    registers,
  });
  const reports = new Counter({ name: 'rostrum_call_reports_total', help: 'Reports from calls', registers });
  addGauges(registers, gauges);
  return {
    matched: (mode, waitedMs) => waits.observe({ mode }, waitedMs / 1000),
    connected: (mode, afterMs, route) => {
      connects.observe({ mode }, afterMs / 1000);
      if (route !== undefined) routes.inc({ route });
    },
    ended: (mode, reason) => ends.inc({ mode, reason }),
    rated: (rating) => ratings.inc({ rating: String(rating) }),
    reported: () => reports.inc(),
  };
};

const addGauges = (registers: Registry[], gauges: CallGauges): void => {
  const gauge = (name: string, help: string, read: () => Promise<number> | number): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await orUnknown(read));
      },
    });
  };
  gauge('rostrum_queue_waiting', 'People who wait for a random partner', async () => (await gauges.counts()).waiting);
  gauge('rostrum_calls', '1:1 calls that go on', async () => (await gauges.counts()).calls);
  gauge(
    'rostrum_random_success_ratio',
    'Share of random calls that connected in the last 15 minutes; 1 before there is a sample',
    () => gauges.success().share ?? 1,
  );
  gauge('rostrum_random_success_alert', '1 while too few random calls connect', () => Number(gauges.success().alert));
};
