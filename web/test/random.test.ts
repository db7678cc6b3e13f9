import { afterEach, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../e2e/support/server.ts';
import { Air } from './air.ts';
import { Caller } from './callers.ts';
import { until } from './until.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Place = { readonly server: Server; readonly air: Air; come(name: string, hertz: number): Promise<Caller> };

const serve = async (env: Record<string, string> = {}): Promise<Place> => {
  const server = await startServer({ TRUSTED_PROXIES: '127.0.0.1', ...env });
  cleanUps.push(() => server.stop());
  const air = new Air();
  cleanUps.push(() => air.close());
  return {
    server,
    air,
    come: async (name, hertz) => {
      const caller = await Caller.signIn({ serverUrl: server.url, name, hertz, air });
      cleanUps.push(() => caller.close());
      return caller;
    },
  };
};

const hearEachOther = (ana: Caller, bob: Caller) =>
  until(
    'both are connected and hear each other',
    () => ana.isConnected && bob.isConnected && ana.hears(bob) && bob.hears(ana),
  );

/** Ana and Bob talk. */
const meet = async (env: Record<string, string> = {}) => {
  const place = await serve(env);
  const ana = await place.come('Ana', 440);
  const bob = await place.come('Bob', 660);
  await ana.talk();
  await bob.talk();
  await hearEachOther(ana, bob);
  return { ...place, ana, bob };
};

/** Counts how often somebody hears nothing, until the returned function is called. */
const countSilence = (caller: Caller): (() => number) => {
  let silent = 0;
  const watch = setInterval(() => {
    if (!caller.hearsAnything()) silent += 1;
  }, 50);
  cleanUps.push(() => clearInterval(watch));
  return () => {
    clearInterval(watch);
    return silent;
  };
};

describe('random calls with the SDK against a real server', { timeout: 90_000 }, () => {
  it('RD-1 RD-2 RD-13 SE-9 two people come to talk, by the direct route, with the same code', async () => {
    const { ana, bob } = await meet();
    expect(ana.call.partner).toMatchObject({ id: bob.userId, displayName: 'Bob' });
    expect(bob.call.sessionId).toBe(ana.call.sessionId);
    expect(ana.call.connectedAt).toBe(bob.call.connectedAt);
    expect(ana.phases.map(({ phase }) => phase)).toContain('queued');
    await until('both have a code', () => ana.call.securityCode !== null && bob.call.securityCode !== null);
    expect(ana.call.securityCode).toBe(bob.call.securityCode);
    await until('the quality is known', () => (ana.call.quality?.bitrate ?? 0) > 0);
    expect(ana.call.quality).toMatchObject({ grade: 'good', route: 'p2p_udp' });
    await until('Ana is counted', () => ana.calls.service?.stats.activeCalls === 1);
    ana.calls.setMuted(true);
    expect(ana.call.muted).toBe(true);
    await until('Bob hears nothing', () => !bob.hearsAnything());
    ana.calls.setMuted(false);
    await until('Bob hears Ana again', () => bob.hears(ana));
  });

  it('RD-10 messages arrive once, and are there again after a reload', async () => {
    const { ana, bob } = await meet();
    await ana.calls.send('hello');
    await until('Bob has it', () => bob.messages.length > 0);
    await bob.calls.send('hi');
    await until('Ana has it', () => ana.messages.length > 0);
    const lines = [
      { mine: true, text: 'hello' },
      { mine: false, text: 'hi' },
    ];
    expect(ana.call.chat).toMatchObject(lines);
    expect(bob.call.chat).toMatchObject(lines.map(({ mine, text }) => ({ mine: !mine, text })));
    await ana.reload();
    await until('Ana is in the call', () => ana.phase === 'call');
    expect(ana.call.chat).toMatchObject(lines);
    expect(bob.messages).toEqual(['hello']);
  });

  it('RQ-9 RQ-10 a text call needs no device, and is connected at once', async () => {
    const { come } = await serve();
    const ana = await come('Ana', 440);
    const bob = await come('Bob', 660);
    await expect(ana.calls.start({ mode: 'voice' })).rejects.toMatchObject({ code: 'conflict' });
    await ana.calls.start({ mode: 'text' });
    await bob.calls.start({ mode: 'text' });
    await until('both are connected', () => ana.isConnected && bob.isConnected && ana.call.connectedAt !== null);
    await ana.calls.send('hello');
    await until('Bob has it', () => bob.messages.includes('hello'));
    expect(ana.opened + bob.opened).toBe(0);
    await bob.calls.end();
    expect(bob.calls.phase).toMatchObject({ phase: 'after', reason: 'hung-up', byYou: true });
    await until('Ana is told', () => ana.phase === 'after');
    expect(ana.calls.phase).toMatchObject({ phase: 'after', reason: 'hung-up', byYou: false });
  });

  it('RD-6 RQ-10 next meets another person, with the microphone that is open', async () => {
    const { ana, bob, come } = await meet();
    const carol = await come('Carol', 880);
    await carol.talk();
    await until('Carol waits', () => carol.phase === 'queued');
    await ana.calls.next();
    await hearEachOther(ana, carol);
    expect(ana.call.partner.displayName).toBe('Carol');
    const { sessionId } = ana.call;
    await until('Bob is told', () => bob.phase === 'after');
    expect(bob.calls.phase).toMatchObject({ reason: 'next', byYou: false });
    expect(ana.opened).toBe(1);
    await ana.calls.end();
    expect(ana.calls.phase).toMatchObject({ phase: 'after', partner: { displayName: 'Carol' }, byYou: true });
    await ana.calls.rate(sessionId, 5, 'nice');
    await until('Carol is told', () => carol.phase === 'after');
    ana.calls.dismiss();
    expect(ana.phase).toBe('idle');
    expect(ana.tracks.map(({ readyState }) => readyState)).toEqual(['live']);
    ana.calls.closePreview();
    expect(ana.tracks.map(({ readyState }) => readyState)).toEqual(['ended']);
  });

  it('RD-5 a lost socket comes back to the same call, and audio is not interrupted', async () => {
    const { ana, bob } = await meet();
    const { sessionId } = ana.call;
    const silence = [countSilence(ana), countSilence(bob)];
    ana.cable.cut();
    await until('Ana notices', () => ana.call.phase === 'reconnecting');
    await until('both are connected', () => ana.isConnected && bob.isConnected);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(silence.map((count) => count())).toEqual([0, 0]);
    expect(ana.call).toMatchObject({ sessionId, resumeUntil: null, partnerAway: false });
    expect(bob.call.sessionId).toBe(sessionId);
  });

  it('RD-5 a lost network comes back to the same call, over a new path', async () => {
    const { ana, bob, air } = await meet({ LIMIT_RESUME_MS: '30000' });
    const { sessionId } = ana.call;
    air.state = 'cut';
    ana.lose();
    await until('Bob hears nothing', () => !bob.hearsAnything());
    await until('Bob is told', () => bob.call.phase === 'reconnecting', 30_000);
    air.state = 'whole';
    ana.cable.become('whole');
    ana.cable.cut();
    await until('both are connected', () => ana.isConnected && bob.isConnected, 40_000);
    await hearEachOther(ana, bob);
    expect(ana.call.sessionId).toBe(sessionId);
    expect(bob.call.sessionId).toBe(sessionId);
  });

  it('RD-5 a path that breaks while both are at the server is replaced by another', async () => {
    const { ana, bob, air } = await meet({ LIMIT_RESUME_MS: '30000' });
    air.state = 'cut';
    await until('both look for another', () => [ana, bob].every(({ call }) => call.phase === 'reconnecting'), 40_000);
    air.state = 'whole';
    await hearEachOther(ana, bob);
  });

  it('RD-5 a partner who does not come back is lost', async () => {
    const { ana, bob } = await meet({ LIMIT_RESUME_MS: '1500' });
    bob.cable.become('refusing');
    bob.cable.cut();
    await until('Ana is told', () => ana.phase === 'call' && ana.call.partnerAway);
    expect(ana.call).toMatchObject({ phase: 'reconnecting', resumeUntil: expect.any(Number) });
    await until('the call is over', () => ana.phase === 'after');
    expect(ana.calls.phase).toMatchObject({ reason: 'lost', byYou: false, durationMs: expect.any(Number) });
    bob.cable.become('whole');
    await until('Bob learns it', () => bob.phase === 'after', 30_000);
    expect(bob.calls.phase).toMatchObject({ reason: 'lost', byYou: false });
    expect(ana.calls.remoteStream).toBeNull();
  });

  it('RD-5 RQ-10 a page that is reloaded goes on with the call', async () => {
    const { ana, bob } = await meet();
    const { sessionId, connectedAt } = ana.call;
    await ana.reload();
    await hearEachOther(ana, bob);
    expect(ana.call).toMatchObject({ sessionId, connectedAt });
    await bob.reload();
    await hearEachOther(ana, bob);
    await until('both have the same code', () => ana.call.securityCode === bob.call.securityCode);
    expect(bob.call.sessionId).toBe(sessionId);
  });

  it('ID-5 another device takes the call over, and the first is told', async () => {
    const { ana, bob } = await meet();
    const { sessionId } = ana.call;
    const first = ana.calls;
    await ana.openElsewhere();
    await ana.talk();
    await until('the first is told', () => first.phase.phase === 'out');
    expect(first.phase).toEqual({ phase: 'out', reason: 'joined-elsewhere' });
    expect(first.remoteStream).toBeNull();
    await hearEachOther(ana, bob);
    expect(ana.call.sessionId).toBe(sessionId);
  });

  it('RD-3 who does not connect in time waits again, and is told why', async () => {
    const { air, come } = await serve({ LIMIT_CONNECT_MS: '2000' });
    air.state = 'unreachable';
    const ana = await come('Ana', 440);
    const bob = await come('Bob', 660);
    await ana.talk();
    await bob.talk();
    await until('both are in a call', () => ana.phase === 'call' && bob.phase === 'call');
    await until('both wait again', () =>
      [ana, bob].every(({ calls: { phase } }) => phase.phase === 'queued' && phase.notice),
    );
    for (const { calls } of [ana, bob]) {
      expect(calls.phase).toMatchObject({
        notice: { kind: 'not-connected', failuresInARow: 1, finding: 'strict-network' },
      });
    }
    await ana.calls.cancel();
    expect(ana.phase).toBe('idle');
    await until('nobody but Bob waits', () => ana.calls.service?.stats.inQueue === 1);
  });

  it('RD-4 where nothing else connects, and the operator allows it, the SFU carries the call', async () => {
    const { air, come } = await serve({ CALLS_SFU_FALLBACK: 'true' });
    air.state = 'unreachable';
    const ana = await come('Ana', 440);
    const bob = await come('Bob', 660);
    await ana.talk();
    await bob.talk();
    await until('both are connected', () => ana.isConnected && bob.isConnected, 30_000);
    await hearEachOther(ana, bob);
    expect(ana.call).toMatchObject({ throughSfu: true, securityCode: null, quality: { route: 'sfu' } });
    ana.calls.setMuted(true);
    await until('Bob hears nothing', () => !bob.hearsAnything());
    ana.calls.setMuted(false);
    await until('Bob hears Ana again', () => bob.hears(ana));
    bob.cable.cut();
    await until('Bob notices', () => bob.call.phase === 'reconnecting');
    await hearEachOther(ana, bob);
    await ana.reload();
    await hearEachOther(ana, bob);
    await ana.calls.end();
    await until('Bob is told', () => bob.phase === 'after');
  });

  it('RQ-5 a place in the queue is kept over a lost socket, and found again by a reloaded page', async () => {
    const { come } = await serve();
    const ana = await come('Ana', 440);
    await ana.talk();
    await until('Ana waits', () => ana.phase === 'queued');
    const { phase } = ana.calls;
    const since = phase.phase === 'queued' ? phase.queued.since : undefined;
    ana.cable.cut();
    await until('Ana is away', () => ana.page.connection.status === 'reconnecting');
    await until('Ana is back', () => ana.page.connection.status === 'online');
    expect(ana.phase).toBe('queued');
    await ana.reload();
    await until('Ana waits', () => ana.phase === 'queued');
    expect(ana.calls.phase).toMatchObject({ queued: { since } });
    const bob = await come('Bob', 660);
    await ana.calls.openPreview('voice');
    await bob.talk();
    await hearEachOther(ana, bob);
  });

  it('RD-6 what is ended or cancelled while the connection is away stays so', async () => {
    const { ana, bob } = await meet({ LIMIT_RESUME_MS: '30000' });
    ana.cable.become('refusing');
    ana.cable.cut();
    await until('Ana notices', () => ana.call.phase === 'reconnecting');
    const ended = ana.calls.end();
    expect(ana.calls.phase).toMatchObject({ phase: 'after', byYou: true });
    ana.cable.become('whole');
    await ended;
    await until('Bob is told', () => bob.phase === 'after', 30_000);
    expect(bob.calls.phase).toMatchObject({ reason: 'hung-up' });
    expect(ana.phase).toBe('after');
  });

  it('RD-14 nothing is left, and nothing happens, after it was disposed of', async () => {
    const { ana, bob } = await meet();
    const { calls } = ana;
    const seen = ana.phases.length;
    calls.dispose();
    expect(ana.tracks.every(({ readyState }) => readyState === 'ended')).toBe(true);
    await bob.calls.send('are you there');
    await bob.calls.end();
    await expect(calls.start({ mode: 'text' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(calls.rate('x'.repeat(22), 5)).rejects.toMatchObject({ code: 'unavailable' });
    await calls.openPreview('voice');
    calls.setMuted(true);
    calls.dismiss();
    expect(ana.phases).toHaveLength(seen);
    expect(calls.remoteStream).toBeNull();
    expect(ana.opened).toBe(1);
  });
});
