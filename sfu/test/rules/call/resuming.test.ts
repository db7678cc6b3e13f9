import { describe, expect, test } from 'vitest';
import { homeNode, hour, idOf, second, start } from '../support.ts';
import { scenario, talking } from './support.ts';

const window = (ms: number) => ['random:partner_disconnected', { resumeUntil: start + ms }];
const returned = ['random:partner_returned', {}];

describe('A side that is lost', () => {
  test('RD-5 the other sees it, and a 10 s window in which the call resumes where it was', () => {
    const call = talking().wait(second).lose('ann');
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 11 * second, connectedAt: start });
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[], [window(11 * second)]]);
    expect(call.due).toEqual({ resume: 10 * second, 'max-duration': 4 * hour - second });
    call.pass(10 * second - 1).comeBack('ann');
    expect(call.state).toMatchObject({ phase: 'connected', resumeUntil: null, connectedAt: start });
    const again = ['random:connected', { connectedAt: start, endsAt: null, asked: false, partnerAsked: false }];
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[again], [returned, again]]);
  });

  test('RD-5 after the window the call ends', () => {
    const call = talking()
      .lose('ann')
      .pass(10 * second);
    expect(call.state.ended).toEqual({ at: start + 10 * second, reason: 'lost', by: null });
    expect(call.heard('ben').at(-1)).toEqual(['random:call_ended', { reason: 'lost', byYou: false, requeued: false }]);
    expect(call.waiting).toEqual({});
  });

  test('RD-5 of lost media both are told once, since both look for a new way', () => {
    const call = talking().loseMedia('ann').wait(second).loseMedia('ben').loseMedia('ben');
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[window(10 * second)], [window(10 * second)]]);
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 10 * second });
    call.connected('ann');
    expect(call.state.phase).toBe('reconnecting');
    call.connected('ben');
    expect(call.state).toMatchObject({ phase: 'connected', resumeUntil: null });
    expect(talking().loseMedia('ann').connected('ann').state.phase).toBe('connected');
  });

  test('RD-5 media that was lost meanwhile must come back as well as the connection', () => {
    const call = talking().lose('ann').wait(second).loseMedia('ben').wait(second).comeBack('ann');
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 10 * second });
    expect(call.heard('ben')).toEqual([window(10 * second), returned]);
    expect(call.connected('ben').state.phase).toBe('connected');
  });

  test('RD-5 a connection that is lost after the media is told too: somebody else is away now', () => {
    const call = talking().loseMedia('ann').quiet().wait(second).lose('ann');
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[], [window(10 * second)]]);
  });

  test('RD-5 with both lost, the window is that of the first', () => {
    const call = talking()
      .lose('ann')
      .wait(4 * second)
      .lose('ben');
    expect(call.due).toMatchObject({ resume: 6 * second });
    expect(call.pass(6 * second).endReason).toBe('lost');
  });

  test('RD-5 when the first is back, who was lost later has 10 s of their own', () => {
    const call = talking()
      .lose('ann')
      .wait(4 * second)
      .lose('ben')
      .quiet()
      .wait(5 * second)
      .comeBack('ann');
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 14 * second });
    expect(call.heard('ann')).toEqual([window(14 * second)]);
    expect(call.pass(5 * second).endReason).toBe('lost');
    const earlier = talking().lose('ann').wait(second).lose('ben').quiet().comeBack('ben');
    expect(earlier.state.resumeUntil).toBe(start + 10 * second);
    expect(earlier.heard('ben')).toEqual([]);
    const late = talking()
      .lose('ann')
      .wait(second)
      .lose('ben')
      .wait(11 * second)
      .comeBack('ann');
    expect(late.state.resumeUntil).toBe(start + 10 * second);
    expect(late.pass(0).endReason).toBe('lost');
  });

  test('RD-5 losing and coming back twice changes nothing', () => {
    const call = talking().lose('ann');
    const { length } = call.events;
    expect(call.wait(second).lose('ann').events).toHaveLength(length);
    call.comeBack('ann');
    const back = call.events.length;
    expect(call.comeBack('ann').events).toHaveLength(back);
  });

  test('RQ-9 RD-5 in a text call the connection counts alone', () => {
    const call = scenario({ mode: 'text' }).wait(second).lose('ann');
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 11 * second });
    call.comeBack('ann');
    expect(call.state).toMatchObject({ phase: 'connected', resumeUntil: null, connectedAt: start });
    call.comeBack('ben', "ben's tablet");
    expect(call.state.phase).toBe('connected');
    call.lose('ben', "ben's tablet").comeBack('ben');
    expect(call.state.phase).toBe('connected');
    expect(call.lose('ann').pass(10 * second).endReason).toBe('lost');
  });
});

describe('Another device', () => {
  test('ID-5 takes the call over, and the first one is told', () => {
    const call = talking().wait(second).comeBack('ann', "ann's tablet");
    expect(call.side('ann')).toMatchObject({ sessionId: "ann's tablet", awaySince: null, linked: false });
    expect(call.heard('ann')).toEqual([['random:joined_elsewhere', {}]]);
    expect(call.heard('ann', "ann's tablet")).toEqual([]);
  });

  test('ID-5 RD-5 it needs media of its own: until then the call is reconnecting for the other side', () => {
    const call = talking().wait(second).comeBack('ann', "ann's tablet");
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 11 * second });
    expect(call.heard('ben')).toEqual([window(11 * second)]);
    call.connected('ann', 'p2p_udp', "ann's tablet");
    expect(call.state).toMatchObject({ phase: 'connected', connectedAt: start });
    expect(call.heard('ann', "ann's tablet").map(([name]) => name)).toEqual(['random:connected']);
    expect(
      talking()
        .comeBack('ann', "ann's tablet")
        .pass(10 * second).endReason,
    ).toBe('lost');
  });

  test('ID-5 the device before counts no more, even when its connection is lost', () => {
    const call = talking().comeBack('ann', "ann's tablet");
    for (const refused of [
      () => call.lose('ann'),
      () => call.connected('ann'),
      () => call.end('ann'),
      () => call.next('ann'),
      () => call.chat('ann'),
    ]) {
      expect(call.refusal(refused)).toBe('stale');
    }
    expect(call.comeBack('ann').side('ann').sessionId).toBe("ann's phone");
    expect(call.heard('ann', "ann's tablet")).toEqual([['random:joined_elsewhere', {}]]);
  });

  test('ID-5 RD-5 it takes over from one that was lost: the other side hears that somebody is back', () => {
    const call = talking().lose('ann').quiet().comeBack('ann', "ann's tablet");
    expect(call.heard('ben')).toEqual([returned]);
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 10 * second });
  });

  test('ID-5 RD-5 while the call reconnects anyway, the other side hears nothing new of it', () => {
    const call = talking().loseMedia('ben').quiet().wait(second).comeBack('ann', "ann's tablet");
    expect(call.heard('ben')).toEqual([]);
    expect(call.state.resumeUntil).toBe(start + 10 * second);
  });

  test('ID-5 while it connects, the time to connect runs on, and the other side hears nothing of it', () => {
    const call = scenario().connected('ann').wait(second).comeBack('ann', "ann's tablet");
    expect(call.state).toMatchObject({ phase: 'connecting', resumeUntil: null });
    expect(call.side('ann').linked).toBe(false);
    expect(call.heard('ben')).toEqual([]);
    expect(call.due).toMatchObject({ connect: 7 * second });
    expect(call.lose('ann', "ann's tablet").comeBack('ann').state.resumeUntil).toBeNull();
  });
});

describe('A device that comes to another node', () => {
  const other = 'node b';

  test('RD-5 RE-2 holds its side on, with its media, and the partner is told nothing', () => {
    const call = talking().comeBack('ann', undefined, other);
    expect(call.side('ann')).toMatchObject({ node: other, linked: true, awaySince: null });
    expect(call.state.phase).toBe('connected');
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[], []]);
  });

  test('RD-5 RE-3 is not lost by the node that it has left, however late that tells of it', () => {
    const call = talking().comeBack('ann', undefined, other);
    expect(call.refusal((c) => c.lose('ann'))).toBe('stale');
    expect(call.lose('ann', undefined, other).state.phase).toBe('reconnecting');
  });

  test('RD-5 RE-3 after its node was lost, resumes the call where it was', () => {
    const call = talking().lose('ann').wait(second).quiet().comeBack('ann', undefined, other);
    expect(call.state).toMatchObject({ phase: 'connected', resumeUntil: null });
    expect(call.heard('ben')[0]).toEqual(returned);
  });

  test('RE-3 waits again from there', () => {
    const call = scenario().comeBack('ann', undefined, other).next('ben');
    const seekers = call.closing.requeue.map(({ ticket: { seeker } }) => [seeker.userId, seeker.node]);
    expect(Object.fromEntries(seekers)).toEqual({ [idOf('ann')]: other, [idOf('ben')]: homeNode });
  });
});

describe('Whose command counts', () => {
  test('RD-14 one by somebody else, or from a device that does not hold the call, is stale and does nothing', () => {
    const call = talking({ sfuAllowed: true, plans: true });
    for (const by of [
      { userId: idOf('cem'), sessionId: "cem's phone" },
      { userId: idOf('cem'), sessionId: "ann's phone" },
      { userId: idOf('ann'), sessionId: "ann's tablet" },
      { userId: idOf('ann'), sessionId: "ben's phone" },
    ]) {
      for (const command of [
        { type: 'connected', by, route: 'p2p_udp' },
        { type: 'lose-media', by },
        { type: 'lose-connection', by, node: homeNode },
        { type: 'report-quality', by, report: { lossPercent: 0, jitterMs: 0, roundTripMs: 0, spoke: true } },
        { type: 'chat', by },
        { type: 'still-here', by },
        { type: 'extend', by },
        { type: 'use-sfu', by },
        { type: 'next', by },
        { type: 'end', by, reason: 'hung-up' },
      ] as const) {
        expect(call.refusal((c) => c.do(command))).toBe('stale');
      }
    }
    expect(call.refusal((c) => c.comeBack('cem'))).toBe('stale');
    expect(call.refusal((c) => c.block('cem', 'ann'))).toBe('stale');
  });

  test('RD-14 everything about a call that is over is stale', () => {
    const call = talking({ sfuAllowed: true, plans: true }).end('ann');
    for (const refused of [
      () => call.bothConnected(),
      () => call.loseMedia('ben'),
      () => call.lose('ben'),
      () => call.comeBack('ben'),
      () => call.report('ben'),
      () => call.chat('ben'),
      () => call.stillHere('ben'),
      () => call.extend('ben'),
      () => call.useSfu('ben'),
      () => call.next('ben'),
      () => call.end('ben'),
      () => call.block('ben', 'ann'),
      () => call.stop(),
      () => call.elapse('max-duration'),
    ]) {
      expect(call.refusal(refused)).toBe('stale');
    }
    expect(call.deadlines.size).toBe(0);
  });
});
