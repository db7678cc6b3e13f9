import { expect, test } from 'vitest';
import type { MediaFigures, WorkerLoad } from '../../src/media/media-plane.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';

const worker: WorkerLoad = {
  ...{ index: 0, pid: 4711, rooms: 2, transports: 30, producers: 4, consumers: 100 },
  ...{ cpu: 0.25, reserved: 6000, capacity: 80_000 },
};
const figures: MediaFigures = {
  ...{ packetsReceived: 1000, packetsLost: 10, packetsForwarded: 50_000, listenerLoss: 0.01, listenerJitter: 0.004 },
  ...{ gateSwitches: 7, workerDeaths: 3, workersKilled: 1, seatsLost: 12, audienceRouters: 1, refusedFull: 5 },
};

const metricsOf = (world: { workers: WorkerLoad[]; figures: MediaFigures }) =>
  createMetrics({
    rooms: () => Promise.resolve(0),
    sockets: () => 0,
    calls: {
      counts: () => Promise.resolve({ waiting: 0, calls: 0 }),
      success: () => ({ share: undefined, alert: false }),
    },
    media: { workers: () => world.workers, figures: () => world.figures },
  });

test('OP-1 media is told to Prometheus as it is when it asks, and names nobody', async () => {
  const world = { workers: [worker, { ...worker, index: 1, cpu: 0.5 }], figures };
  const metrics = metricsOf(world);
  const lines = async () => (await metrics.render()).body.split('\n');
  const told = await lines();
  for (const line of [
    'rostrum_worker_cpu{worker="0"} 0.25',
    'rostrum_worker_cpu{worker="1"} 0.5',
    'rostrum_worker_rooms{worker="0"} 2',
    'rostrum_worker_transports{worker="0"} 30',
    'rostrum_worker_producers{worker="0"} 4',
    'rostrum_worker_consumers{worker="0"} 100',
    'rostrum_worker_reserved_packets_per_second{worker="0"} 6000',
    'rostrum_worker_capacity_packets_per_second{worker="0"} 80000',
    'rostrum_media_packets_total{direction="in"} 1000',
    'rostrum_media_packets_total{direction="out"} 50000',
    'rostrum_media_packets_lost_total 10',
    'rostrum_listener_loss_ratio 0.01',
    'rostrum_listener_jitter_seconds 0.004',
    'rostrum_gate_switches_total 7',
    'rostrum_worker_deaths_total{how="died"} 2',
    'rostrum_worker_deaths_total{how="killed"} 1',
    'rostrum_media_seats_lost_total 12',
    'rostrum_audience_routers 1',
    'rostrum_media_refused_full_total 5',
  ])
    expect(told).toContain(line);
  expect(told.filter((line) => line.includes('4711'))).toEqual([]);
  // Asked again, nothing is counted twice; and a worker that does not run is not shown with its last load.
  world.workers = [worker];
  world.figures = { ...figures, gateSwitches: 8 };
  const later = await lines();
  expect(later).toContain('rostrum_gate_switches_total 8');
  expect(later).toContain('rostrum_media_packets_total{direction="out"} 50000');
  expect(later.filter((line) => line.includes('worker="1"'))).toEqual([]);
});
