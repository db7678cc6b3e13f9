/**
 * A server that stays when it is told to stop, for workers.test.ts to send signals to. On SIGINT and SIGTERM it tells
 * whether its workers live and serve; on SIGUSR2 it closes them and ends by itself.
 */
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { createMediaPlane } from '../../src/media/mediasoup-plane.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createPino } from '../../src/runtime/logger.ts';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const tell = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`);
const ignore = () => undefined;

const plane = await createMediaPlane(
  {
    limits: defaultLimits,
    logger: createPino('silent'),
    workers: 2,
    mediaPort: Number(process.argv[2]),
    mediaAddresses: ['127.0.0.1'],
    relayPorts: { min: 43_000, max: 43_999 },
  },
  {
    consumersAdded: ignore,
    consumersRemoved: ignore,
    unpublished: ignore,
    speakingChanged: ignore,
    mediaLost: ignore,
    relisten: ignore,
  },
);
const pids = plane.load().map(({ pid }) => pid);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    const listened = await plane.listen({ roomId: newId(), userId: newId(), sessionId: newId() }, { onStage: false });
    tell({ signal, listened: listened.ok ? 'ok' : listened.refusal.code, alive: pids.map(isAlive) });
  });
}
process.on('SIGUSR2', () => plane.close());
tell({ pids });
