import { Counter, Gauge, type Registry } from 'prom-client';
import type { MediaFigures, WorkerLoad } from '../media/media-plane.ts';

/** What media says of itself when Prometheus asks. */
export type MediaGauges = {
  /** The workers that run now. */
  readonly workers: () => readonly WorkerLoad[];
  readonly figures: () => MediaFigures;
};

/** Of a worker, by its index; without the pid, as that changes with every restart. */
const ofWorker = {
  rostrum_worker_cpu: ['Share of a core that the worker used in the last second', ({ cpu }) => cpu],
  rostrum_worker_rooms: ['Rooms that have a router on the worker', ({ rooms }) => rooms],
  rostrum_worker_transports: ['mediasoup transports by worker', ({ transports }) => transports],
  rostrum_worker_producers: ['mediasoup producers by worker', ({ producers }) => producers],
  rostrum_worker_consumers: ['mediasoup consumers (streams) by worker', ({ consumers }) => consumers],
  rostrum_worker_reserved_packets_per_second: [
    'Packets a second that may come to be sent to the listeners of the worker',
    ({ reserved }) => reserved,
  ],
  rostrum_worker_capacity_packets_per_second: [
    'Packets a second that the worker is taken to send in real time, by what it was measured to need',
    ({ capacity }) => capacity,
  ],
} as const satisfies Record<string, readonly [help: string, read: (worker: WorkerLoad) => number]>;

const now = {
  rostrum_audience_routers: ['Routers for audiences that are open', ({ audienceRouters }) => audienceRouters],
  rostrum_listener_loss_ratio: [
    'Packets lost on the way to listeners, as a share, by the reports of a sample of them',
    ({ listenerLoss }) => listenerLoss,
  ],
  rostrum_listener_jitter_seconds: [
    'Jitter at listeners, by the reports of a sample of them',
    ({ listenerJitter }) => listenerJitter,
  ],
} as const satisfies Record<string, readonly [help: string, read: (figures: MediaFigures) => number]>;

const sinceStart = {
  rostrum_media_packets_lost_total: [
    'Packets of microphones that were lost on their way to this node',
    ({ packetsLost }) => packetsLost,
  ],
  rostrum_gate_switches_total: ['Voices that the stage gate let in or took out', ({ gateSwitches }) => gateSwitches],
  rostrum_media_seats_lost_total: [
    'Listeners and speakers who lost media with a worker, and were told to open it again',
    ({ seatsLost }) => seatsLost,
  ],
  rostrum_media_refused_full_total: ['Joins refused since no worker had room', ({ refusedFull }) => refusedFull],
} as const satisfies Record<string, readonly [help: string, read: (figures: MediaFigures) => number]>;

/** Figures of media for Prometheus (OP-1). What media counts by itself is only read here. */
export const addMediaMetrics = (registry: Registry, { workers, figures }: MediaGauges): void => {
  const registers = [registry];
  for (const [name, [help, read]] of Object.entries(ofWorker)) {
    new Gauge({
      ...{ name, help, registers, labelNames: ['worker'] },
      collect() {
        // One that does not run now has no load, rather than its last.
        this.reset();
        for (const worker of workers()) this.set({ worker: worker.index }, read(worker));
      },
    });
  }
  for (const [name, [help, read]] of Object.entries(now)) {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read(figures()));
      },
    });
  }
  for (const [name, [help, read]] of Object.entries(sinceStart)) {
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(read(figures()));
      },
    });
  }
  new Counter({
    name: 'rostrum_media_packets_total',
    help: 'Packets of microphones that came, and packets that went out (an estimate: what came, times whom it was sent to)',
    labelNames: ['direction'],
    registers,
    collect() {
      const { packetsReceived, packetsForwarded } = figures();
      this.reset();
      this.inc({ direction: 'in' }, packetsReceived);
      this.inc({ direction: 'out' }, packetsForwarded);
    },
  });
  new Counter({
    name: 'rostrum_worker_deaths_total',
    help: 'Media workers that ended by themselves, and that were killed as they did not answer',
    labelNames: ['how'],
    registers,
    collect() {
      const { workerDeaths, workersKilled } = figures();
      this.reset();
      this.inc({ how: 'died' }, workerDeaths - workersKilled);
      this.inc({ how: 'killed' }, workersKilled);
    },
  });
};
