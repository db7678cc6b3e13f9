import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { lookAtProcess } from '../../src/media/worker-process.ts';
import { until } from './harness.ts';

test('RE-5 a process that was stopped is told from one that runs, and from one that is gone', async () => {
  const child = spawn('sleep', ['600']);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const exited = once(child, 'exit');
  try {
    expect(await lookAtProcess(pid)).toMatchObject({ isStopped: false });
    child.kill('SIGSTOP');
    await until('it is stopped', async () => (await lookAtProcess(pid))?.isStopped);
    child.kill('SIGCONT');
    await until('it goes on', async () => (await lookAtProcess(pid))?.isStopped === false);
  } finally {
    child.kill('SIGKILL');
  }
  await exited;
  expect(await lookAtProcess(pid)).toBeUndefined();
});

test('OP-1 the time of a process is what the process itself says', async () => {
  const told = () => {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000, systemMs: system / 1000 };
  };
  const before = { own: told(), seen: await lookAtProcess(process.pid) };
  while (told().cpuMs < before.own.cpuMs + 300);
  const after = { own: told(), seen: await lookAtProcess(process.pid) };
  const seenMs = (after.seen?.cpuMs ?? 0) - (before.seen?.cpuMs ?? 0);
  // To a tick of either time, and what the look itself takes.
  expect(Math.abs(seenMs - (after.own.cpuMs - before.own.cpuMs))).toBeLessThan(60);
  expect(after.seen?.systemMs).toBeLessThanOrEqual(after.seen?.cpuMs ?? 0);
});
