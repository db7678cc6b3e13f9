import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Emitter } from './emitter.ts';
import { RostrumError } from './errors.ts';
import { keepTrying } from './retry.ts';
import { SessionStore } from './session-store.ts';
import { TaskQueue } from './task-queue.ts';
import { idOf } from './test-support.ts';
import { Timers, within } from './timers.ts';
import { TokenSource } from './token-source.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('RE-5 what is begun has an end', () => {
  test('RE-5 timers do not fire after their owner was closed', async () => {
    const timers = new Timers();
    const fired: string[] = [];
    timers.after(10, () => fired.push('kept'));
    timers.after(10, () => fired.push('cancelled'))();
    await vi.advanceTimersByTimeAsync(20);
    timers.after(10, () => fired.push('late'));
    timers.close();
    timers.after(10, () => fired.push('after'));
    await vi.advanceTimersByTimeAsync(100);
    expect(fired).toEqual(['kept']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('RE-5 a limit leaves no timer behind', async () => {
    expect(await within(1000, Promise.resolve(5), () => new Error('late'))).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
    const late = within(1000, new Promise(() => undefined), () => new Error('late'));
    const failure = expect(late).rejects.toThrow('late');
    await vi.advanceTimersByTimeAsync(1000);
    await failure;
  });

  test('RE-5 a queue runs its tasks in order and refuses what is too much', async () => {
    const queue = new TaskQueue(2);
    const order: number[] = [];
    const wait = (value: number) => async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      order.push(value);
    };
    const tasks = [
      queue.run(wait(1)),
      queue.run(wait(2)),
      queue.run(wait(3)).catch((error: RostrumError) => error.code),
    ];
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all(tasks)).toEqual([undefined, undefined, 'unavailable']);
    expect(order).toEqual([1, 2]);
  });

  test('RE-5 a failed task does not hold up the next, and a closed queue begins none', async () => {
    const queue = new TaskQueue(9);
    const failed = queue.run(() => Promise.reject(new Error('first')));
    await expect(failed).rejects.toThrow('first');
    expect(await queue.run(async () => 'second')).toBe('second');
    const pending = queue.run(async () => 'third');
    queue.close();
    await expect(pending).rejects.toMatchObject({ code: 'unavailable' });
    await expect(queue.run(async () => 'fourth')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('RE-5 attempts end: when they succeed, when they are too many, when nobody wants them', async () => {
    const timers = new Timers();
    let attempts = 0;
    const failing = async (): Promise<void> => {
      attempts += 1;
      throw new RostrumError('unavailable', '');
    };
    const tooMany = keepTrying({ attempt: failing, wanted: () => true, most: 4, timers });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await tooMany).toMatchObject({ kind: 'failed', error: { code: 'unavailable' } });
    expect(attempts).toBe(4);

    let wanted = true;
    const given = keepTrying({ attempt: failing, wanted: () => wanted, most: 100, timers });
    await vi.advanceTimersByTimeAsync(100);
    wanted = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await given).toEqual({ kind: 'unwanted' });

    const refused = keepTrying({
      attempt: () => Promise.reject(new RostrumError('forbidden', '')),
      wanted: () => true,
      most: 9,
      timers,
    });
    expect(await refused).toMatchObject({ kind: 'failed', error: { code: 'forbidden' } });
  });
});

test('a listener that throws keeps no other from its event, and is reported', () => {
  const reported: unknown[] = [];
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error));
  const emitter = new Emitter<{ heard: number }>();
  const heard: number[] = [];
  emitter.on('heard', () => {
    throw new Error('theirs');
  });
  const stop = emitter.on('heard', (value) => heard.push(value));
  emitter.emit('heard', 1);
  stop();
  emitter.emit('heard', 2);
  expect(heard).toEqual([1]);
  expect(reported).toHaveLength(2);
  vi.unstubAllGlobals();
});

describe('RE-2 the session over a page refresh', () => {
  const session = idOf('session');
  const storageWith = (entries: Record<string, string>) => ({
    entries,
    getItem: (name: string) => entries[name] ?? null,
    setItem: (name: string, value: string) => {
      entries[name] = value;
    },
    removeItem: (name: string) => {
      delete entries[name];
    },
  });
  const browser = (): EventTarget => {
    const page = new EventTarget();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    return page;
  };
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('RE-2 is found again by the page that follows, and by no tab that was copied from it', () => {
    const page = browser();
    const storage = storageWith({});
    const first = new SessionStore(storage);
    first.keep(session);
    expect(storage.entries).toEqual({});
    page.dispatchEvent(new Event('pagehide'));
    expect(new SessionStore(storage).sessionId).toBe(session);
    expect(storage.entries).toEqual({});
    first.close();
  });

  test('RE-2 begins anew after it was given up', () => {
    const page = browser();
    const storage = storageWith({});
    const store = new SessionStore(storage);
    store.keep(session);
    store.forget();
    page.dispatchEvent(new Event('pagehide'));
    expect(storage.entries).toEqual({});
  });

  test('RE-2 is not taken from a storage that holds something else', () => {
    expect(new SessionStore(storageWith({ 'rostrum.session': 'x y z' })).sessionId).toBeUndefined();
  });

  test('RE-2 lasts as long as the page where storage is forbidden', () => {
    const forbidden = (): never => {
      throw new DOMException('', 'SecurityError');
    };
    const store = new SessionStore({ getItem: forbidden, setItem: forbidden, removeItem: forbidden });
    store.keep(session);
    expect(store.sessionId).toBe(session);
  });
});

describe('ID-4 the token', () => {
  const signedIn = (token: string) => ({
    token,
    expiresAt: 9,
    user: { userId: '', displayName: '', kind: 'guest' as const },
  });

  test('ID-2 is renewed over HTTP, used from then on, and handed on to be kept', async () => {
    const kept: string[] = [];
    const source = new TokenSource({ token: 'first', onToken: (token) => kept.push(token) }, async (token) =>
      signedIn(`${token}+`),
    );
    expect(await source.current()).toBe('first');
    expect(await source.renewed()).toBe('first+');
    expect(await source.current()).toBe('first+');
    expect(kept).toEqual(['first+']);
  });

  test('ID-3 comes from who gives them, where that has a newer one', async () => {
    let given = 'first';
    const source = new TokenSource({ getToken: () => given }, async (token) => signedIn(`${token}+`));
    expect(await source.current()).toBe('first');
    expect(await source.renewed()).toBe('first+');
    // Who gives them still has the old one: the renewed one is newer.
    expect(await source.current()).toBe('first+');
    given = 'second';
    expect(await source.renewed()).toBe('second');
  });

  test('RE-5 is not waited for without end', async () => {
    const source = new TokenSource({ getToken: () => new Promise<string>(() => undefined) }, async () => signedIn(''));
    const failure = expect(source.current()).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(10_000);
    await failure;
  });

  test('is needed', () => {
    expect(() => new TokenSource({}, async () => signedIn(''))).toThrow(TypeError);
  });
});
