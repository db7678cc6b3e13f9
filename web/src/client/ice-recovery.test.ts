import type { types } from 'mediasoup-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RostrumError } from './errors.ts';
import { IceRecovery, patienceMs, settleMs } from './ice-recovery.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A path whose state is set by hand, and that counts what is done for it. */
const pathWith = (restart: () => Promise<void> = async () => undefined) => {
  const path = { state: 'connected' as types.ConnectionState, restarts: 0, replaced: 0 };
  const recovery = new IceRecovery({
    state: () => path.state,
    restart: () => {
      path.restarts += 1;
      return restart();
    },
    replace: () => {
      path.replaced += 1;
    },
  });
  const become = (state: types.ConnectionState): void => {
    path.state = state;
    recovery.changed(state);
  };
  return { path, recovery, become };
};

test('MD-7 does nothing about a loss that heals in two seconds', async () => {
  const { path, become } = pathWith();
  become('disconnected');
  await vi.advanceTimersByTimeAsync(patienceMs - 100);
  become('connected');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(path.restarts).toBe(0);
});

test('MD-7 restarts ICE when the path stays lost, and leaves it when it stands again', async () => {
  const { path, become } = pathWith();
  become('disconnected');
  await vi.advanceTimersByTimeAsync(patienceMs);
  expect(path.restarts).toBe(1);
  become('connecting');
  become('connected');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(path).toMatchObject({ restarts: 1, replaced: 0 });
});

test('MD-7 restarts at once when the path failed, one restart at a time', async () => {
  const { path, become, recovery } = pathWith();
  become('failed');
  recovery.check(true);
  recovery.check(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(path.restarts).toBe(1);
});

test('MD-7 replaces the transport after two restarts that came to nothing', async () => {
  const { path, become } = pathWith();
  become('failed');
  await vi.advanceTimersByTimeAsync(settleMs);
  expect(path).toMatchObject({ restarts: 2, replaced: 0 });
  await vi.advanceTimersByTimeAsync(settleMs);
  expect(path).toMatchObject({ restarts: 2, replaced: 1 });
  become('failed');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(path).toMatchObject({ restarts: 2, replaced: 1 });
});

test('MD-8 replaces at once a transport that the server does not know any more', async () => {
  const { path, become } = pathWith(() => Promise.reject(new RostrumError('not_found', '')));
  become('failed');
  await vi.advanceTimersByTimeAsync(0);
  expect(path).toMatchObject({ restarts: 1, replaced: 1 });
});

test('RE-2 waits for the connection when the server is out of reach', async () => {
  let away = true;
  const { path, become, recovery } = pathWith(() =>
    away ? Promise.reject(new RostrumError('network', '')) : Promise.resolve(),
  );
  become('failed');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(path).toMatchObject({ restarts: 1, replaced: 0 });
  away = false;
  recovery.check(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(path.restarts).toBe(2);
});

test('MD-7 restarts a path that stands when this machine moved, and one that was never used not', async () => {
  const { path, recovery } = pathWith();
  recovery.check(false);
  path.state = 'new';
  recovery.check(true);
  expect(path.restarts).toBe(0);
  path.state = 'connected';
  recovery.check(true);
  expect(path.restarts).toBe(1);
});

test('RE-5 does nothing after it was closed', async () => {
  const { path, become, recovery } = pathWith();
  become('disconnected');
  recovery.close();
  become('failed');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(path).toMatchObject({ restarts: 0, replaced: 0 });
  expect(vi.getTimerCount()).toBe(0);
});
