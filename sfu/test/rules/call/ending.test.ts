import { callEndReasons } from '@rostrum/shared/protocol/call.ts';
import { describe, expect, test } from 'vitest';
import { closingOf } from '../../../src/rules/call/closing.ts';
import { needsRelay } from '../../../src/rules/matching/history.ts';
import { hour, idOf, nameOf, second, start } from '../support.ts';
import { type CallScenario, scenario, talking } from './support.ts';

const ended = (call: CallScenario, name: string): Record<string, unknown> | undefined => {
  const last = call.heard(name).at(-1);
  return last?.[0] === 'random:call_ended' ? last[1] : undefined;
};

const ticketOf = (call: CallScenario, name: string) =>
  call.closing.requeue.find(({ ticket }) => nameOf(ticket.seeker.userId) === name)?.ticket;

const historyOf = (call: CallScenario, name: string) => call.closing.histories.get(idOf(name));

describe('How a call is ended', () => {
  test('RD-6 next ends the call and queues at once; the other side does not wait', () => {
    const call = talking().wait(second).next('ann');
    expect(call.state.ended).toEqual({ at: start + second, reason: 'next', by: idOf('ann') });
    expect(call.waiting).toEqual({ ann: 'back' });
    expect(ended(call, 'ann')).toEqual({ reason: 'next', byYou: true, requeued: true });
    expect(ended(call, 'ben')).toEqual({ reason: 'next', byYou: false, requeued: false });
    expect(scenario({ mode: 'text' }).next('ben').waiting).toEqual({ ben: 'back' });
  });

  test('RD-6 end ends it, and nobody waits again', () => {
    const call = talking().end('ben');
    expect(call.state.ended).toMatchObject({ reason: 'hung-up', by: idOf('ben') });
    expect(call.waiting).toEqual({});
    expect(ended(call, 'ann')).toEqual({ reason: 'hung-up', byYou: false, requeued: false });
    expect(ended(call, 'ben')).toEqual({ reason: 'hung-up', byYou: true, requeued: false });
    const left = talking().end('ann', 'left-for-room');
    expect(left.waiting).toEqual({});
    expect(ended(left, 'ben')).toEqual({ reason: 'left-for-room', byYou: false, requeued: false });
  });

  test('SF-4 blocking the partner ends the call; the blocked one is told that the other hung up', () => {
    const call = talking().block('ann', 'ben');
    expect(call.state.ended).toMatchObject({ reason: 'blocked', by: idOf('ann') });
    expect(ended(call, 'ann')).toEqual({ reason: 'blocked', byYou: true, requeued: false });
    expect(ended(call, 'ben')).toEqual({ reason: 'hung-up', byYou: false, requeued: false });
    expect(call.waiting).toEqual({});
  });

  test('RQ-4 blocking somebody else lets the call go on, and is known when one waits again', () => {
    const call = talking().block('ann', 'cem').block('ann', 'cem');
    expect(call.all('avoided')).toHaveLength(1);
    expect(call.state.phase).toBe('connected');
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[], []]);
    expect(ticketOf(call.next('ann'), 'ann')?.blocked).toEqual([idOf('cem')]);
    const others = talking({ ben: { blocked: ['dan'] } })
      .block('ann', 'cem')
      .next('ben');
    expect(ticketOf(others, 'ben')?.blocked).toEqual([idOf('dan')]);
  });

  test('SF-4 nobody blocks themselves', () => {
    expect(talking().refusal((c) => c.block('ann', 'ann'))).toBe('invalid');
  });

  test('DC-8 an operator or a server that stops ends it, and nobody waits again', () => {
    for (const reason of ['operator', 'server-stopped'] as const) {
      const call = scenario().stop(reason);
      expect(call.state.ended).toEqual({ at: start, reason, by: null });
      expect(call.waiting).toEqual({});
      expect(ended(call, 'ann')).toEqual({ reason, byYou: false, requeued: false });
    }
  });

  test('DC-8 every end has a reason of the closed list', () => {
    const ends = [
      talking().end('ann'),
      talking().end('ann', 'left-for-room'),
      talking().next('ann'),
      talking().block('ann', 'ben'),
      scenario().pass(8 * second),
      talking()
        .lose('ann')
        .pass(10 * second),
      talking().pass(120 * second),
      talking({ plans: true, mode: 'video' }).pass(hour),
      talking({ mode: 'video' }).pass(4 * hour),
      talking().stop('operator'),
      talking().stop('server-stopped'),
    ].map(({ endReason }) => endReason);
    expect(new Set(ends).size).toBe(ends.length);
    expect(callEndReasons).toEqual(expect.arrayContaining(ends));
  });
});

describe('Who waits again', () => {
  test('RD-3 RD-6 before a call was connected, whom the other left waits at the front: they have met nobody', () => {
    expect(scenario().next('ann').waiting).toEqual({ ann: 'back', ben: 'front' });
    expect(scenario().end('ann').waiting).toEqual({ ben: 'front' });
    expect(scenario().end('ben', 'left-for-room').waiting).toEqual({ ann: 'front' });
    expect(scenario().block('ben', 'ann').waiting).toEqual({ ann: 'front' });
    expect(ended(scenario().end('ann'), 'ben')).toEqual({ reason: 'hung-up', byYou: false, requeued: true });
  });

  test('RD-5 when a side is lost before the call was connected, the one who is there waits at the front', () => {
    const call = scenario()
      .lose('ann')
      .bothConnected()
      .pass(10 * second);
    expect(call.endReason).toBe('lost');
    expect(call.waiting).toEqual({ ben: 'front' });
    const both = scenario({ sfuAllowed: true })
      .lose('ann')
      .wait(4 * second)
      .useSfu('ben')
      .lose('ben')
      .pass(6 * second);
    expect(both.endReason).toBe('lost');
    expect(both.waiting).toEqual({ ben: 'front' });
    expect(ticketOf(both, 'ben')?.awaySince).toBe(start + 4 * second);
  });

  test('RQ-5 RD-3 who is away waits as such, with what is left of the grace', () => {
    const call = scenario()
      .lose('ann')
      .pass(8 * second);
    expect(call.waiting).toEqual({ ann: 'front', ben: 'front' });
    const again = call.closing.requeue.find(({ ticket }) => ticket.seeker.userId === idOf('ann'));
    expect(again?.ticket.awaySince).toBe(start);
    expect(again?.deadlines.get('grace')).toBe(start + 15 * second);
    expect(
      scenario({ limits: { queueGraceMs: 8 * second } })
        .lose('ann')
        .pass(8 * second).waiting,
    ).toEqual({
      ben: 'front',
    });
  });

  test('RQ-5 RD-3 who does not wait any more is told of the failure all the same', () => {
    const call = scenario({ limits: { queueGraceMs: 8 * second } })
      .lose('ann')
      .pass(8 * second);
    expect(call.heard('ann')).toEqual([
      ['random:connection_timeout', { requeued: false, failuresInARow: 1, relayFromNow: false }],
    ]);
  });

  test('RD-3 they wait on the device that held the call, with their search and a new ticket', () => {
    const call = scenario({ ann: { waited: hour, search: { interests: ['tea'] }, plan: 'premium' } })
      .comeBack('ann', "ann's tablet")
      .pass(8 * second);
    const ticket = ticketOf(call, 'ann');
    expect(ticket).toMatchObject({
      seeker: { sessionId: "ann's tablet", plan: 'premium' },
      search: { interests: ['tea'] },
      queuedAt: start + 8 * second,
      front: true,
    });
    const ids = call.closing.requeue.map(({ ticket: { ticketId } }) => ticketId);
    expect(new Set([...ids, "ann's ticket", "ben's ticket"]).size).toBe(4);
  });

  test('RQ-5 a call that goes on, or was over before, has no closing', () => {
    const call = talking();
    const context = { now: start, limits: call.limits, newId: () => 'a ticket' };
    const none = { histories: new Map(), requeue: [] };
    expect(closingOf(call.state, call.state, context)).toEqual(none);
    call.next('ann');
    expect(closingOf(call.state, call.state, context)).toEqual(none);
  });
});

describe('What is remembered', () => {
  test('RQ-4 both remember each other, whatever became of the call', () => {
    for (const call of [talking().end('ann'), scenario().next('ann'), scenario().pass(8 * second), talking().stop()]) {
      expect(historyOf(call, 'ann')?.recent).toEqual([
        { userId: idOf('ben'), until: call.now + call.limits.repeatPairMs },
      ]);
      expect(historyOf(call, 'ben')?.recent.map(({ userId }) => userId)).toEqual([idOf('ann')]);
    }
  });

  test('RD-3 a call that did not connect in time counts as failed for both, one that was left does not', () => {
    const failed = scenario().pass(8 * second);
    expect(historyOf(failed, 'ann')).toMatchObject({
      failuresInARow: 1,
      failed: [{ userId: idOf('ben'), times: 1, until: start + 8 * second + hour }],
    });
    const left = scenario({ ann: { history: { failuresInARow: 1 } } }).next('ben');
    expect(historyOf(left, 'ann')).toMatchObject({ failuresInARow: 1, failed: [] });
    const met = talking({ ann: { history: { failuresInARow: 2 } } }).end('ann');
    expect(historyOf(met, 'ann')).toMatchObject({ failuresInARow: 0, failed: [] });
  });

  test('RD-3 a text call connects nothing, and so says nothing about the network', () => {
    const call = scenario({ mode: 'text', ann: { history: { failuresInARow: 2 } } }).next('ann');
    expect(historyOf(call, 'ann')).toMatchObject({ failuresInARow: 2, failed: [] });
  });

  test('RD-3 who waits again waits with what is remembered', () => {
    const call = scenario({ ann: { history: { failuresInARow: 2 } } }).pass(8 * second);
    const history = ticketOf(call, 'ann')?.history;
    expect(history).toEqual(historyOf(call, 'ann'));
    expect(history && needsRelay(history, call.limits)).toBe(true);
    expect(ticketOf(call, 'ann') && call.closing.requeue[0]?.deadlines.get('repeat')).toBe(start + 13 * second);
  });
});
