import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type CallGauges, type CallMetrics, createCallMetrics } from './call-metrics.ts';
import { orUnknown } from './gauge-value.ts';
import { addMediaMetrics, type MediaGauges } from './media-metrics.ts';

/** Figures for Prometheus (OP-1). No ids of users or rooms in labels: names of commands and codes are closed lists. */
export type Metrics = {
  readonly calls: CallMetrics;
  command(name: string, outcome: string, durationMs: number): void;
  httpRequest(route: string, status: number, durationMs: number): void;
  /** The registry in the text format of Prometheus, after `gauges` were read. */
  render(): Promise<{ body: string; contentType: string }>;
};

/** Values that are read when Prometheus asks. */
export type Gauges = {
  readonly rooms: () => Promise<number>;
  readonly calls: CallGauges;
  readonly sockets: () => number;
  readonly media: MediaGauges;
};

/** Seconds. Commands take from under a millisecond to the time limit of a client, 10 s. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export const createMetrics = (gauges: Gauges): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const commands = new Histogram({
    name: 'rostrum_command_seconds',
    help: 'Socket commands until acknowledged',
    labelNames: ['command'],
    buckets,
    registers,
  });
  const outcomes = new Counter({
    name: 'rostrum_commands_total',
    help: 'Socket commands by outcome',
    labelNames: ['command', 'code'],
    registers,
  });
  const requests = new Histogram({
    name: 'rostrum_http_request_seconds',
    help: 'HTTP requests until answered',
    labelNames: ['route', 'status'],
    buckets,
    registers,
  });
  new Gauge({
    name: 'rostrum_rooms',
    help: 'Active rooms',
    registers,
    async collect() {
      this.set(await orUnknown(gauges.rooms));
    },
  });
  new Gauge({
    name: 'rostrum_sockets',
    help: 'Open sockets',
    registers,
    collect() {
      this.set(gauges.sockets());
    },
  });
  addMediaMetrics(registry, gauges.media);
  return {
    calls: createCallMetrics(registry, gauges.calls),
    command: (name, outcome, durationMs) => {
      commands.observe({ command: name }, durationMs / 1000);
      outcomes.inc({ command: name, code: outcome });
    },
    httpRequest: (route, status, durationMs) => requests.observe({ route, status }, durationMs / 1000),
    render: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
};
