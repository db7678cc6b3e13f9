import { DatabaseSync } from 'node:sqlite';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { pause, until } from '../media/harness.ts';
import { accept, Caller, hostCandidate, pair, relayCandidate, sampleSdp } from '../support/caller.ts';
import { cleanUp, guest, startServer, type TestClock, type TestServer, testClock } from '../support/server.ts';

afterEach(cleanUp);

const limits = defaultLimits;
const often = { LIMIT_SEARCHES_PER_MINUTE: '1000' };

const withClock = async (env: Record<string, string> = {}): Promise<{ server: TestServer; clock: TestClock }> => {
  const clock = testClock();
  return { server: await startServer({ clock, env: { ...often, ...env } }), clock };
};

describe('finding somebody', () => {
  it('RQ-1 RD-1 two who search are told at once; who waited longer answers, the other offers', async () => {
    const server = await startServer();
    const ann = await Caller.arrive(server, 'Ann');
    const ben = await Caller.arrive(server, 'Ben');
    expect(await ann.search({ languages: ['de', 'en-GB'] })).toMatchObject({
      state: 'queued',
      queued: { position: 1, waiting: 1, mode: 'voice', relaxed: [], languageUntil: null },
    });
    await pause(5);
    expect(await ben.search({ languages: ['en', 'fr'] })).toMatchObject({ state: 'call', phase: 'connecting' });
    const [toAnn, toBen] = [await ann.match(), await ben.match()];
    expect(toAnn).toMatchObject({
      partner: { id: ben.userId, displayName: 'Ben', avatarUrl: null },
      initiateConnection: false,
      languages: ['en-GB'],
      relayOnly: false,
      sfuAllowed: false,
    });
    expect(toBen).toMatchObject({
      sessionId: toAnn.sessionId,
      partner: { id: ann.userId, displayName: 'Ann' },
      initiateConnection: true,
      languages: ['en'],
    });
  });

  it('RQ-9 one is matched within the same mode', async () => {
    const server = await startServer();
    const people = await Promise.all(['Ann', 'Ben', 'Cat'].map((name) => Caller.arrive(server, name)));
    const [ann, ben, cat] = people as [Caller, Caller, Caller];
    await ann.search({ mode: 'video' });
    expect(await ben.search({ mode: 'voice' })).toMatchObject({ state: 'queued' });
    expect(await cat.search({ mode: 'video' })).toMatchObject({ state: 'call' });
    expect((await cat.match()).partner.id).toBe(ann.userId);
    expect(await ben.state()).toMatchObject({ state: 'queued' });
  });

  it('RQ-4 SF-4 nobody is matched with somebody blocked by either side, also after a restart', async () => {
    const first = await startServer({ env: often });
    const { ann, ben, sessionId } = await pair(first);
    await ann.socket.do('random:block_user', { sessionId });
    expect(await ben.socket.next('random:call_ended')).toMatchObject({ reason: 'hung-up', byYou: false });
    expect(await ann.socket.next('random:call_ended')).toMatchObject({ reason: 'blocked', byYou: true });
    const neverAgain = async (one: Caller, other: Caller) => {
      await one.search();
      expect(await other.search()).toMatchObject({ state: 'queued' });
      expect(await one.state()).toMatchObject({ state: 'queued' });
    };
    await neverAgain(ben, ann);
    await first.stop();

    const second = await startServer({ env: often, dataDir: first.dataDir });
    const again = async (caller: Caller): Promise<Caller> => {
      const person = Object.assign(Object.create(caller.person), { server: second }) as typeof caller.person;
      return Object.assign(Object.create(caller), { person, socket: await person.connect() }) as Caller;
    };
    const [annAgain, benAgain] = [await again(ann), await again(ben)];
    await neverAgain(benAgain, annAgain);
    // Undone, they may meet.
    expect(await annAgain.person.http('GET', '/api/me/blocks')).toMatchObject({
      body: { blocks: [{ userId: ben.userId, displayName: 'Ben' }] },
    });
    expect((await annAgain.person.http('DELETE', `/api/me/blocks/${ben.userId}`)).status).toBe(200);
  });

  it('RQ-4 the same pair does not meet again while anybody else waits, also after a restart', async () => {
    const first = await startServer({ env: often });
    const { ann, ben, sessionId } = await pair(first);
    await ann.socket.do('random:end_call', { sessionId });
    await ben.socket.next('random:call_ended');
    await first.stop();
    const second = await startServer({ env: often, dataDir: first.dataDir });
    const connect = async (caller: Caller) => {
      const person = Object.assign(Object.create(caller.person), { server: second }) as typeof caller.person;
      return person.connect();
    };
    const [annSocket, benSocket] = [await connect(ann), await connect(ben)];
    const voice = { mode: 'voice' } as Parameters<typeof annSocket.do<'random:start_queue'>>[1];
    await annSocket.do('random:start_queue', voice);
    expect((await benSocket.do('random:start_queue', voice)).state).toMatchObject({ state: 'queued' });
    const cat = await Caller.arrive(second, 'Cat');
    expect(await cat.search()).toMatchObject({ state: 'call' });
    expect((await cat.match()).partner.id).toBe(ann.userId);
  });

  it('RQ-4 two who are alone meet again after a moment', async () => {
    const { server, clock } = await withClock();
    const { ann, ben, sessionId } = await pair(server);
    await ann.socket.do('random:next_partner', { sessionId });
    await ben.search();
    expect(await ann.state()).toMatchObject({ state: 'queued' });
    clock.forward(limits.repeatHoldMs);
    const again = await ann.socket.next('random:match_instant', (match) => match.sessionId !== sessionId);
    expect(again.partner.id).toBe(ben.userId);
  });

  it('RQ-5 who waits 60 s is told and taken out, and may go on with one click', async () => {
    const { server, clock } = await withClock();
    const ann = await Caller.arrive(server, 'Ann');
    await ann.search();
    clock.forward(limits.queueWaitMs - 1);
    await pause(300);
    expect(await ann.state()).toMatchObject({ state: 'queued' });
    clock.forward(1);
    expect(await ann.socket.next('random:dequeued')).toEqual({ reason: 'timeout' });
    expect(await ann.state()).toEqual({ state: 'idle' });
    expect(await ann.search()).toMatchObject({ state: 'queued' });
  });

  it('RQ-5 who is away is not matched, and has their place back within 15 s', async () => {
    const { server, clock } = await withClock();
    const ann = await Caller.arrive(server, 'Ann');
    const sessionId = await ann.sessionId();
    await ann.search();
    ann.socket.close();
    const ben = await Caller.arrive(server, 'Ben');
    await until('Ann is noted as away', async () => {
      const state = await ben.search();
      return state.state === 'queued' && state.queued.waiting === 2;
    });
    clock.forward(limits.queueGraceMs - 1);
    const back = await ann.device(sessionId);
    expect(await back.state()).toMatchObject({ state: 'call', match: { partner: { id: ben.userId } } });
    expect((await ben.match()).partner.id).toBe(ann.userId);
  });

  it('RQ-5 who stays away loses their place', async () => {
    const { server, clock } = await withClock();
    const ann = await Caller.arrive(server, 'Ann');
    const sessionId = await ann.sessionId();
    await ann.search();
    ann.socket.close();
    const ben = await Caller.arrive(server, 'Ben');
    await ben.socket.do('random:watch', { watching: true });
    await pause(100);
    clock.forward(limits.queueGraceMs);
    await until('nobody waits', async () => {
      const { stats } = await ben.socket.do('random:watch', { watching: true });
      return stats.inQueue === 0;
    });
    expect(await (await ann.device(sessionId)).state()).toEqual({ state: 'idle' });
  });

  it('RQ-7 tells everybody on the page how many are here, when that changed', async () => {
    const server = await startServer({ env: { LIMIT_STATS_INTERVAL_MS: '200', ...often } });
    const watcher = await Caller.arrive(server, 'Wim');
    const { available, stats } = await watcher.socket.do('random:watch', { watching: true });
    expect({ available, stats }).toEqual({ available: true, stats: { totalActive: 0, inQueue: 0, activeCalls: 0 } });
    const { ann, sessionId } = await pair(server);
    await watcher.socket.next('random:stats_update', (told) => told.activeCalls === 1 && told.totalActive === 2);
    watcher.socket.forget();
    await pause(700);
    expect(watcher.socket.all('random:stats_update')).toEqual([]);
    await ann.socket.do('random:end_call', { sessionId });
    await watcher.socket.next('random:stats_update', (told) => told.totalActive === 0);
    await watcher.socket.do('random:watch', { watching: false });
    watcher.socket.forget();
    await ann.search();
    await pause(500);
    expect(watcher.socket.all('random:stats_update')).toEqual([]);
  });

  it('ID-8 asks for the house rules and the minimum age first', async () => {
    const server = await startServer();
    const person = await guest(server, 'Ann');
    const socket = await person.connect();
    const search = () => socket.codeOf('random:start_queue', { mode: 'voice' } as never);
    expect(await search()).toBe('rules_not_accepted');
    await person.http('PUT', '/api/me/consents', { houseRules: true });
    expect(await search()).toBe('age_not_confirmed');
    await person.http('PUT', '/api/me/consents', { minimumAge: 17 });
    expect(await search()).toBe('age_not_confirmed');
    await person.http('PUT', '/api/me/consents', { minimumAge: 18 });
    expect(await search()).toBe('ok');
  });

  it('RQ-3 filters are for whom the operator enabled them', async () => {
    const wanted = { filters: { genders: ['female' as const], minReputation: null, ageRanges: null } };
    const without = await Caller.arrive(await startServer(), 'Ann');
    expect(await without.searchCode(wanted)).toBe('forbidden');
    const server = await startServer({ env: { RANDOM_CALLS_FILTERS: 'gender' } });
    const ann = await Caller.arrive(server, 'Ann');
    const ben = await Caller.arrive(server, 'Ben');
    expect(await ben.search({ about: { gender: 'male', ageRange: null } })).toMatchObject({ state: 'queued' });
    expect(await ann.search(wanted)).toMatchObject({ state: 'queued' });
  });

  it('ID-5 of two devices of one person who search, the second takes the place of the first', async () => {
    const server = await startServer();
    const ann = await Caller.arrive(server, 'Ann');
    await ann.search();
    const phone = await ann.device();
    expect(await phone.search()).toMatchObject({ state: 'queued', queued: { waiting: 1 } });
    expect(await ann.socket.next('random:dequeued')).toEqual({ reason: 'elsewhere' });
    expect(await ann.state()).toEqual({ state: 'idle' });
    const ben = await Caller.arrive(server, 'Ben');
    await ben.search();
    const { sessionId } = await phone.match();
    // The call moves to the device that asks for it, and the first is told.
    expect(await ann.search()).toMatchObject({ state: 'call', match: { sessionId } });
    expect(await phone.socket.next('random:joined_elsewhere')).toEqual({ sessionId });
    expect(await phone.socket.codeOf('random:chat', { sessionId, text: 'hello' })).toBe('stale');
    expect(await ann.socket.codeOf('random:chat', { sessionId, text: 'hello' })).toBe('ok');
  });

  it('refuses who is on a stage, and asks who listens to a room to leave it first', async () => {
    const server = await startServer();
    const host = await Caller.arrive(server, 'Hanna');
    const roomId = await host.person.createRoom();
    await host.socket.do('room:join', { roomId });
    expect(await host.searchCode()).toBe('on_stage');
    const ann = await Caller.arrive(server, 'Ann');
    await ann.socket.do('room:join', { roomId });
    expect(await ann.searchCode()).toBe('in_room');
    expect(await ann.search({ leaveRoom: true })).toMatchObject({ state: 'queued' });
    await host.socket.next('room:participant-left', ({ userId }) => userId === ann.userId);
    await ann.socket.do('random:cancel_queue', {});
    await ann.socket.do('room:join', { roomId });
    const laptop = await ann.device();
    expect(await laptop.search({ leaveRoom: true })).toMatchObject({ state: 'queued' });
    expect(await ann.socket.next('room:joined-elsewhere')).toEqual({ roomId });
    await laptop.socket.do('random:cancel_queue', {});
    await ann.search();
    // The other way round: who goes into a room searches no more, and nobody goes into one from a call.
    await ann.socket.do('room:join', { roomId });
    expect(await ann.socket.next('random:dequeued')).toEqual({ reason: 'room' });
    const { ben } = await pair(server);
    expect(await ben.socket.codeOf('room:join', { roomId })).toBe('in_call');
  });

  it('SE-2 a flood of skips is limited by itself, and hurts nobody', async () => {
    const server = await startServer({ env: { LIMIT_SEARCHES_PER_MINUTE: '3' } });
    const { ann, ben, sessionId } = await pair(server);
    const skip = () => ann.socket.codeOf('random:next_partner', { sessionId });
    expect(await ann.searchCode()).toBe('ok');
    expect(await ann.searchCode()).toBe('ok');
    expect(await skip()).toBe('rate_limited');
    expect(await ann.searchCode()).toBe('rate_limited');
    expect(await ben.state()).toMatchObject({ state: 'call', phase: 'connected', match: { sessionId } });
  });

  it('RQ-1 a search that is cancelled in the same breath does not come after it', async () => {
    const server = await startServer();
    const ann = await Caller.arrive(server, 'Ann');
    const search = ann.searchCode();
    await ann.socket.do('random:cancel_queue', {});
    expect(await search).toBe('ok');
    expect(await ann.state()).toEqual({ state: 'idle' });
  });

  it('RE-5 whom a full node could not put into a call is looked for again when there is room', async () => {
    const server = await startServer({ env: { LIMIT_CALLS_AT_ONCE: '1' } });
    const first = await pair(server);
    const [cat, dan] = [await Caller.arrive(server, 'Cat'), await Caller.arrive(server, 'Dan')];
    await cat.search();
    expect(await dan.search()).toMatchObject({ state: 'queued' });
    await first.ann.socket.do('random:end_call', { sessionId: first.sessionId });
    expect((await cat.match()).partner.id).toBe(dan.userId);
  });

  it('nobody leaves a room for a search that cannot begin', async () => {
    const server = await startServer({ env: { LIMIT_TICKETS_WAITING: '2' } });
    const host = await Caller.arrive(server, 'Hanna');
    const roomId = await host.person.createRoom();
    await host.socket.do('room:join', { roomId });
    for (const mode of ['voice', 'video'] as const) await (await Caller.arrive(server, mode)).search({ mode });
    const ann = await Caller.arrive(server, 'Ann');
    await ann.socket.do('room:join', { roomId });
    expect(await ann.searchCode({ mode: 'text', leaveRoom: true })).toBe('node_full');
    expect(await ann.socket.codeOf('room:sync', { roomId })).toBe('ok');
  });
});

describe('the switch', () => {
  const admin = async (server: TestServer) => {
    const code = server.app.adminClaim ?? '';
    const person = await guest(server, 'Olga');
    const { body } = await person.http('POST', '/api/auth/claim-admin', { code, displayName: 'Olga' });
    const token = (body as { token: string }).token;
    return (value: Record<string, unknown>) =>
      fetch(`${server.url}/api/admin/random`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(value),
      }).then(({ status }) => status);
  };

  it('RQ-8 puts those out who wait, with the reason; calls go on; it holds over a restart', async () => {
    const server = await startServer({ env: often });
    const turn = await admin(server);
    const { ann, ben, sessionId } = await pair(server);
    const cat = await Caller.arrive(server, 'Cat');
    await cat.search();
    const until = Date.now() + 60_000;
    expect(await turn({ enabled: false, reason: 'Maintenance', until })).toBe(200);
    expect(await cat.socket.next('random:feature_unavailable')).toEqual({ reason: 'Maintenance', until });
    expect(await cat.searchCode()).toBe('feature_unavailable');
    expect(await ann.socket.codeOf('random:chat', { sessionId, text: 'Still here?' })).toBe('ok');
    // Who goes on to the next is out, too.
    expect((await ben.socket.do('random:next_partner', { sessionId })).state).toEqual({ state: 'idle' });
    expect(await ben.socket.next('random:feature_unavailable')).toMatchObject({ reason: 'Maintenance' });
    await server.stop();
    const next = await startServer({ dataDir: server.dataDir });
    expect(await (await Caller.arrive(next, 'Dan')).searchCode()).toBe('feature_unavailable');
  });

  it('RQ-8 is for operators alone, and can be on for a share of people', async () => {
    const server = await startServer();
    const ann = await Caller.arrive(server, 'Ann');
    expect((await ann.person.http('PUT', '/api/admin/random', { enabled: false })).status).toBe(403);
    const turn = await admin(server);
    expect(await turn({ enabled: true, sharePercent: 0 })).toBe(200);
    expect(await ann.searchCode()).toBe('feature_unavailable');
    expect((await ann.person.http('GET', '/api/random')).body).toMatchObject({ available: false });
    expect(await turn({ enabled: true, sharePercent: 100 })).toBe(200);
    expect(await ann.searchCode()).toBe('ok');
    expect(await turn({ enabled: true, sharePercent: 101 })).toBe(400);
  });
});

describe('relaying', () => {
  const ids = () => ({ from: newId(), to: null });

  it('RD-2 SE-5 passes offer, answer and candidates on, as they are, to the partner alone', async () => {
    const server = await startServer();
    const { ann, ben, sessionId } = await pair(server, { connected: false });
    const offer = { sessionId, ...ids(), sdp: sampleSdp };
    await ben.socket.do('random:offer', offer);
    expect(await ann.socket.next('random:offer')).toEqual(offer);
    const answer = { sessionId, from: newId(), to: offer.from, sdp: sampleSdp };
    await ann.socket.do('random:answer', answer);
    expect(await ben.socket.next('random:answer')).toEqual(answer);
    const candidate = {
      ...{ sessionId, from: answer.from, to: offer.from },
      ...{ candidate: hostCandidate, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'EsAw' },
    };
    await ann.socket.do('random:ice_candidate', candidate);
    expect(await ben.socket.next('random:ice_candidate')).toEqual(candidate);
    expect(ann.socket.all('random:ice_candidate')).toEqual([]);
  });

  it('SE-5 RD-14 refuses strangers, what does not parse, what is too large, and what is of an earlier call', async () => {
    const server = await startServer({ env: often });
    const { ann, ben, sessionId } = await pair(server);
    const cat = await Caller.arrive(server, 'Cat');
    const offer = { sessionId, ...ids(), sdp: sampleSdp };
    expect(await cat.socket.codeOf('random:offer', offer)).toBe('stale');
    expect(await cat.socket.codeOf('random:chat', { sessionId, text: 'hello' })).toBe('stale');
    for (const sdp of [
      '',
      'hello',
      sampleSdp.replace('v=0', 'v=1'),
      `${sampleSdp}a=<script>\r\nx`,
      `${sampleSdp}a=${'x'.repeat(33_000)}`,
    ])
      expect(await ben.socket.codeOf('random:offer', { ...offer, sdp }), sdp.slice(0, 20)).toBe('invalid');
    const candidate = { sessionId, ...ids(), sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null };
    for (const text of ['hello', `${hostCandidate}\r\na=evil`, `${hostCandidate} ${'x'.repeat(2048)}`])
      expect(await ben.socket.codeOf('random:ice_candidate', { ...candidate, candidate: text })).toBe('invalid');
    await ben.socket.do('random:end_call', { sessionId });
    expect(await ann.socket.codeOf('random:ice_candidate', { ...candidate, candidate: hostCandidate })).toBe('stale');
    await ann.search();
    await cat.search();
    await cat.match(ann);
    for (const name of ['random:connected', 'random:reconnecting', 'random:still_here', 'random:next_partner'] as const)
      expect(
        await ann.socket.send(name, { sessionId, ...(name === 'random:connected' ? { route: 'p2p_udp' } : {}) }),
      ).toMatchObject({ ok: false, error: { code: 'stale' } });
    expect(await ann.state()).toMatchObject({ state: 'call', match: { partner: { id: cat.userId } } });
    expect(ann.socket.all('random:offer')).toEqual([]);
  });

  it('RD-12 SE-3 who hides the address has TURN alone, and tells no other candidate', async () => {
    const env = {
      TURN_URLS: 'turn:198.51.100.1:3478',
      TURN_SECRET: 'a secret of the tests',
      STUN_URLS: 'stun:198.51.100.1:3478',
    };
    const server = await startServer({ env });
    const { ann, ben, sessionId } = await pair(server, { connected: false, wanted: { hideAddress: true } });
    const match = await ann.match();
    expect(match.relayOnly).toBe(true);
    expect(match.iceServers).toEqual([
      { urls: ['stun:198.51.100.1:3478'] },
      {
        urls: ['turn:198.51.100.1:3478'],
        username: expect.stringMatching(`:${ann.userId}$`),
        credential: expect.any(String),
      },
    ]);
    const candidate = { sessionId, ...ids(), sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null };
    expect(await ann.socket.codeOf('random:ice_candidate', { ...candidate, candidate: hostCandidate })).toBe('invalid');
    expect(await ann.socket.codeOf('random:ice_candidate', { ...candidate, candidate: relayCandidate })).toBe('ok');
    expect(
      await ann.socket.codeOf('random:offer', { sessionId, ...ids(), sdp: `${sampleSdp}a=${hostCandidate}\r\n` }),
    ).toBe('invalid');
    expect(await ben.socket.codeOf('random:offer', { sessionId, ...ids(), sdp: sampleSdp })).toBe('ok');
  });

  it('RD-12 ID-5 a device that takes a call over and hides its address hides it', async () => {
    const env = { TURN_URLS: 'turn:198.51.100.1:3478', TURN_SECRET: 'a secret of the tests' };
    const server = await startServer({ env });
    const { ann, sessionId } = await pair(server);
    const laptop = await ann.device();
    expect(await laptop.search({ hideAddress: true })).toMatchObject({ state: 'call', match: { relayOnly: true } });
    const candidate = { sessionId, ...ids(), sdpMid: '0', sdpMLineIndex: 0, usernameFragment: null };
    expect(await laptop.socket.codeOf('random:ice_candidate', { ...candidate, candidate: hostCandidate })).toBe(
      'invalid',
    );
  });

  it('RD-12 nobody can hide where there is no relay', async () => {
    const ann = await Caller.arrive(await startServer(), 'Ann');
    expect(await ann.searchCode({ hideAddress: true })).toBe('no_relay');
  });
});

describe('a call', () => {
  it('RD-3 not connected after 8 s: both are told, and wait in front of everybody', async () => {
    const { server, clock } = await withClock();
    const { ann, ben, sessionId } = await pair(server, { connected: false });
    clock.forward(limits.connectMs);
    const told = { sessionId, requeued: true, failuresInARow: 1, relayFromNow: false };
    expect(await ann.socket.next('random:connection_timeout')).toEqual(told);
    expect(await ben.socket.next('random:connection_timeout')).toEqual(told);
    expect(await ann.state()).toMatchObject({ state: 'queued', queued: { waiting: 2 } });
    expect(await ben.state()).toMatchObject({ state: 'queued', queued: { waiting: 2 } });
    expect(ann.socket.all('random:call_ended')).toEqual([]);
  });

  it('RD-3 a pair that failed twice is kept apart, and from the third failure in a row on it is the relay', async () => {
    const env = { TURN_URLS: 'turn:198.51.100.1:3478', TURN_SECRET: 'a secret of the tests' };
    const { server, clock } = await withClock(env);
    const { ann, ben } = await pair(server, { connected: false });
    clock.forward(limits.connectMs);
    await ann.socket.next('random:connection_timeout');
    clock.forward(limits.repeatHoldMs);
    await until('they are matched again', () => ann.socket.all('random:match_instant').length === 2);
    clock.forward(limits.connectMs);
    await until('it failed again', () => ben.socket.all('random:connection_timeout').length === 2);
    clock.forward(limits.repeatHoldMs);
    await pause(500);
    expect(ann.socket.all('random:match_instant')).toHaveLength(2);
    const cat = await Caller.arrive(server, 'Cat');
    await cat.search();
    const { partner } = await cat.match();
    const unlucky = partner.id === ann.userId ? ann : ben;
    clock.forward(limits.connectMs);
    expect(
      await unlucky.socket.next('random:connection_timeout', ({ failuresInARow }) => failuresInARow === 3),
    ).toMatchObject({ relayFromNow: true });
    clock.forward(limits.repeatHoldMs);
    const dan = await Caller.arrive(server, 'Dan');
    await dan.search();
    await dan.match();
    const last = [ann, ben, cat].find(({ userId }) => userId === dan.socket.all('random:match_instant')[0]?.partner.id);
    const match = await last?.match(dan);
    expect(match?.relayOnly).toBe(last === unlucky);
  });

  it("RD-3 a partner who closed the page in the middle is no failure of one's own network", async () => {
    const { server, clock } = await withClock();
    const { ann, ben } = await pair(server, { connected: false });
    ann.socket.close();
    await ben.socket.next('random:partner_disconnected');
    clock.forward(limits.connectMs);
    expect(await ben.socket.next('random:connection_timeout')).toMatchObject({ failuresInARow: 0, requeued: true });
  });

  it('RD-5 a side that is lost has 10 s to come back, and finds the call where it was', async () => {
    const { server, clock } = await withClock();
    const { ann, ben, sessionId } = await pair(server);
    const session = await ann.sessionId();
    await ann.socket.do('random:chat', { sessionId, text: 'Hello there' });
    ann.socket.close();
    const { resumeUntil } = await ben.socket.next('random:partner_disconnected');
    expect(resumeUntil).toBe(clock.now() + limits.resumeMs);
    expect(await ben.state()).toMatchObject({ state: 'call', phase: 'reconnecting', resumeUntil, partnerAway: true });
    clock.forward(limits.resumeMs - 1);
    const back = await ann.device(session);
    expect(await back.state()).toMatchObject({
      state: 'call',
      phase: 'connected',
      resumeUntil: null,
      match: { sessionId, partner: { id: ben.userId } },
      chat: [{ byId: ann.userId, text: 'Hello there' }],
    });
    await ben.socket.next('random:partner_returned');
    clock.forward(limits.resumeMs);
    await pause(300);
    expect(await back.state()).toMatchObject({ state: 'call' });
  });

  it('RD-5 a side that does not come back ends the call', async () => {
    const { server, clock } = await withClock();
    const { ann, ben, sessionId } = await pair(server);
    const session = await ann.sessionId();
    ann.socket.close();
    await ben.socket.next('random:partner_disconnected');
    clock.forward(limits.resumeMs);
    expect(await ben.socket.next('random:call_ended')).toEqual({
      sessionId,
      reason: 'lost',
      byYou: false,
      requeued: false,
    });
    expect(await ben.state()).toEqual({ state: 'idle' });
    expect(await (await ann.device(session)).state()).toEqual({ state: 'idle' });
  });

  it('RD-5 media that is lost while both sockets stand opens the same window for both', async () => {
    const { server, clock } = await withClock();
    const { ann, ben, sessionId } = await pair(server);
    await ann.socket.do('random:reconnecting', { sessionId });
    await ben.socket.next('random:partner_disconnected');
    await ann.connected(sessionId);
    await until('it goes on', async () => {
      const state = await ben.state();
      return state.state === 'call' && state.phase === 'connected';
    });
    await ben.socket.do('random:reconnecting', { sessionId });
    clock.forward(limits.resumeMs);
    expect(await ann.socket.next('random:call_ended')).toMatchObject({ reason: 'lost' });
  });

  it('RD-6 next ends the call and queues at once; end ends it; the other decides for themselves', async () => {
    const server = await startServer({ env: often });
    const { ann, ben, sessionId } = await pair(server);
    const cat = await Caller.arrive(server, 'Cat');
    await cat.search();
    expect((await ann.socket.do('random:next_partner', { sessionId })).state).toMatchObject({
      state: 'call',
      match: { partner: { id: cat.userId } },
    });
    expect(await ben.socket.next('random:call_ended')).toEqual({
      sessionId,
      reason: 'next',
      byYou: false,
      requeued: false,
    });
    expect(await ben.state()).toEqual({ state: 'idle' });
    const second = await ann.match(cat);
    await cat.connected(second.sessionId);
    await ann.connected(second.sessionId);
    await cat.socket.do('random:end_call', { sessionId: second.sessionId });
    expect(await ann.socket.next('random:call_ended', (told) => told.sessionId === second.sessionId)).toMatchObject({
      reason: 'hung-up',
      byYou: false,
    });
    for (const person of [ann, ben, cat]) expect(await person.state()).toEqual({ state: 'idle' });
  });

  it('RD-7 silence is asked after at 90 s and ends the call 30 s later, unless somebody is there', async () => {
    const { server, clock } = await withClock();
    const { ann, ben, sessionId } = await pair(server);
    clock.forward(limits.idleMs);
    const { answerUntil } = await ann.socket.next('random:idle_check');
    expect(answerUntil).toBe(clock.now() + limits.idleAnswerMs);
    await ben.socket.do('random:still_here', { sessionId });
    await ann.socket.next('random:idle_check', (told) => told.answerUntil === null);
    const spoke = { sessionId, lossPercent: 0, jitterMs: 1, roundTripMs: 10, bitrate: 50_000, spoke: true };
    clock.forward(limits.idleMs - 1000);
    await ann.socket.do('random:quality', spoke);
    clock.forward(limits.idleMs - 1000);
    await pause(300);
    expect(await ann.state()).toMatchObject({ state: 'call', answerUntil: null });
    clock.forward(1000);
    await until('both are asked again', async () => {
      const state = await ben.state();
      return state.state === 'call' && state.answerUntil !== null;
    });
    clock.forward(limits.idleAnswerMs);
    expect(await ann.socket.next('random:call_ended')).toMatchObject({ reason: 'idle', byYou: false });
  });

  it('RD-8 without plans a call is not limited; with them it is, warned at 60 s, and extended when both agree', async () => {
    const { server, clock } = await withClock({ PLANS: 'true', LIMIT_IDLE_MS: '3600000' });
    const { ann, ben, sessionId } = await pair(server);
    const { endsAt } = await ann.socket.next('random:connected');
    expect(endsAt).toBe(clock.now() + limits.freeCallMs);
    clock.forward(limits.freeCallMs - limits.callWarningMs);
    expect(await ben.socket.next('random:time_warning')).toEqual({
      sessionId,
      endsAt,
      asked: false,
      partnerAsked: false,
    });
    await ann.socket.do('random:extend', { sessionId });
    await ben.socket.next('random:time_warning', (told) => told.partnerAsked);
    await ben.socket.do('random:extend', { sessionId });
    const later = (endsAt ?? 0) + limits.callExtensionMs;
    await ann.socket.next('random:time_warning', (told) => told.endsAt === later);
    clock.forward(limits.callExtensionMs + limits.callWarningMs);
    expect(await ann.socket.next('random:call_ended')).toMatchObject({ reason: 'time-limit' });
  });

  it('DC-8 a call ends after 4 h', async () => {
    const { server, clock } = await withClock();
    const { ann } = await pair(server, { mode: 'text' });
    clock.forward(limits.callMaxMs);
    expect(await ann.socket.next('random:call_ended')).toMatchObject({ reason: 'max-duration' });
  });

  it('RQ-9 a text call goes through the server, and has nothing to negotiate', async () => {
    const server = await startServer();
    const { ann, ben, sessionId } = await pair(server, { mode: 'text' });
    expect(await ann.state()).toMatchObject({ state: 'call', phase: 'connected' });
    const { message } = await ann.socket.do('random:chat', { sessionId, text: ' <b>Hi</b> ' });
    expect(message).toMatchObject({ byId: ann.userId, text: '<b>Hi</b>' });
    expect(await ben.socket.next('random:chat')).toEqual({ sessionId, message });
    expect(await ann.socket.codeOf('random:chat', { sessionId, text: 'x'.repeat(1001) })).toBe('invalid');
    expect(await ann.socket.codeOf('random:chat', { sessionId, text: '  ' })).toBe('invalid');
    expect(await ann.socket.codeOf('random:offer', { sessionId, from: newId(), to: null, sdp: sampleSdp })).toBe(
      'conflict',
    );
  });

  it('SE-2 chat has a pace of its own', async () => {
    const server = await startServer({ env: { LIMIT_CALL_MESSAGES_PER_SECOND: '1', LIMIT_CALL_MESSAGE_BURST: '2' } });
    const { ann, sessionId } = await pair(server, { mode: 'text' });
    const codes = await Promise.all(
      Array.from({ length: 6 }, (_, index) => ann.socket.codeOf('random:chat', { sessionId, text: `${index}` })),
    );
    expect(codes.filter((code) => code === 'ok').length).toBeLessThanOrEqual(4);
    expect(codes).toContain('rate_limited');
  });

  it('RD-9 SF-1 RD-13 ratings, reports and calls are kept, with their own copy of the evidence', async () => {
    const server = await startServer();
    const { ann, ben, sessionId } = await pair(server);
    await ben.socket.do('random:chat', { sessionId, text: 'something awful' });
    await ann.socket.do('random:report_user', { sessionId, type: 'harassment', text: 'Look at the chat' });
    await ann.socket.do('random:end_call', { sessionId, rating: 1, comment: 'Never again' });
    // A second report adds to the first, and a later rating takes the place of the first, also when the call is over.
    await ann.socket.do('random:report_user', { sessionId, type: 'hate', text: '' });
    await ann.socket.do('random:end_call', { sessionId, rating: 2 });
    const cat = await Caller.arrive(server, 'Cat');
    expect(await cat.socket.codeOf('random:report_user', { sessionId, type: 'spam', text: '' })).toBe('stale');
    expect(await cat.socket.codeOf('random:end_call', { sessionId, rating: 5 })).toBe('stale');
    expect(await cat.socket.codeOf('random:block_user', { sessionId })).toBe('stale');
    await server.stop();

    const { openSqliteRecords } = await import('../../src/records/sqlite/open.ts');
    const records = openSqliteRecords({ path: `${server.dataDir}/rostrum.sqlite` });
    try {
      expect(await records.calls.get(sessionId)).toMatchObject({
        kind: 'random',
        mode: 'voice',
        people: [{ userId: ann.userId, displayName: 'Ann', kind: 'guest' }, { userId: ben.userId }],
        outcome: { reason: 'hung-up', endedBy: ann.userId, route: 'p2p_udp', connectedAt: expect.any(Number) },
      });
      expect(await records.ratings.about(ben.userId, { since: 0, most: 10 })).toMatchObject([
        { callId: sessionId, byId: ann.userId, rating: 2 },
      ]);
      const [report, ...others] = await records.reports.about(ben.userId, 10);
      expect(others).toEqual([]);
      expect(report).toMatchObject({
        byId: ann.userId,
        aboutName: 'Ben',
        place: { kind: 'call', id: sessionId },
        statements: [{ type: 'harassment', text: 'Look at the chat' }, { type: 'hate' }],
      });
      expect(report?.evidence).toContain('something awful');
    } finally {
      await records.close();
    }
  });

  it('RE-4 SF-4 while the records cannot be written, a block ends the call at once, and says that it was not kept', async () => {
    const server = await startServer({ env: often });
    const { ann, ben, sessionId } = await pair(server);
    const lock = new DatabaseSync(`${server.dataDir}/rostrum.sqlite`);
    try {
      lock.exec('BEGIN IMMEDIATE');
      expect(await ann.socket.codeOf('random:report_user', { sessionId, type: 'threat', text: '' })).toBe(
        'unavailable',
      );
      expect(await ann.socket.codeOf('random:block_user', { sessionId })).toBe('unavailable');
      expect(await ben.socket.next('random:call_ended')).toMatchObject({ reason: 'hung-up' });
    } finally {
      lock.exec('ROLLBACK');
      lock.close();
    }
    expect(await ann.socket.codeOf('random:block_user', { sessionId })).toBe('ok');
  });

  it('RD-9 a call that another device holds is not rated without being ended', async () => {
    const server = await startServer();
    const { ann, sessionId } = await pair(server);
    const phone = await ann.device();
    expect(await phone.socket.codeOf('random:end_call', { sessionId, rating: 5 })).toBe('stale');
    expect(await ann.state()).toMatchObject({ state: 'call' });
  });

  it('SE-2 reports have a pace of their own', async () => {
    const server = await startServer({ env: { LIMIT_REPORTS_PER_MINUTE: '1' } });
    const { ann, sessionId } = await pair(server);
    const report = () => ann.socket.codeOf('random:report_user', { sessionId, type: 'spam', text: '' });
    expect([await report(), await report()]).toEqual(['ok', 'rate_limited']);
  });

  it('OP-1 counts calls, routes and the queue, without the id of anybody', async () => {
    const server = await startServer();
    const { ann, sessionId } = await pair(server);
    await ann.socket.do('random:end_call', { sessionId });
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('rostrum_call_routes_total{route="p2p_udp"} 1');
    expect(text).toContain('rostrum_calls_ended_total{mode="voice",reason="hung-up"} 1');
    expect(text).toContain('rostrum_queue_waiting 0');
    expect(text).not.toContain(ann.userId);
  });

  it('RD-1 a server that stops ends calls and searches with a word', async () => {
    const server = await startServer();
    const { ann } = await pair(server);
    const cat = await Caller.arrive(server, 'Cat');
    await cat.search();
    await server.stop();
    expect(await ann.socket.next('random:call_ended')).toMatchObject({ reason: 'server-stopped', requeued: false });
    expect(await cat.socket.next('random:dequeued')).toEqual({ reason: 'server-stopped' });
  });

  it('consents and blocks are for oneself, and for who is signed in', async () => {
    const server = await startServer();
    const person = await guest(server, 'Ann');
    await accept(person);
    expect((await person.http('GET', '/api/me/consents')).body).toEqual({ houseRules: true, minimumAge: 18 });
    expect((await person.http('PUT', `/api/me/blocks/${person.userId}`)).status).toBe(409);
    expect((await person.http('PUT', `/api/me/blocks/${newId()}`)).status).toBe(404);
    expect((await fetch(`${server.url}/api/me/blocks`)).status).toBe(401);
  });
});
