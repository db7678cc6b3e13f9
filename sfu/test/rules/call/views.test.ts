import { defaultLimits } from '@rostrum/shared/limits.ts';
import { randomEvents, randomStateSchema } from '@rostrum/shared/protocol/random.ts';
import { describe, expect, test } from 'vitest';
import type { CallOutcome, CallRecord } from '../../../src/records/call-records.ts';
import { outcomeOf, recordOf } from '../../../src/rules/call/record.ts';
import { mustHideAddress, relayTo } from '../../../src/rules/call/relay.ts';
import { matchOf, randomStateOf } from '../../../src/rules/call/view.ts';
import { hour, idOf, minute, second, start } from '../support.ts';
import { type AboutCall, callerOf, scenario, talking } from './support.ts';

const iceServers = [{ urls: ['turn:turn.example.org'], username: 'a', credential: 'b' }];
const context = {
  iceServers,
  relayAlways: false,
  relayAvailable: true,
  sfuAllowed: false,
  limits: defaultLimits,
};
const ann = idOf('ann');
const ben = idOf('ben');

describe('What is relayed', () => {
  test('RD-2 SE-5 goes from the device that holds a side to the other side, until the call is over', () => {
    const call = scenario();
    expect(relayTo(call.state, callerOf('ann'))).toEqual({ ok: true, value: call.side('ben') });
    expect(relayTo(call.bothConnected().state, callerOf('ben'))).toEqual({ ok: true, value: call.side('ann') });
    call.comeBack('ben', "ben's tablet");
    expect(relayTo(call.state, callerOf('ann'))).toMatchObject({ value: { sessionId: "ben's tablet" } });
  });

  test('RD-14 SE-5 what comes from anybody else, or after the end, is stale', () => {
    const call = scenario();
    for (const by of [callerOf('cem'), callerOf('ann', "ann's tablet"), { ...callerOf('ann'), userId: idOf('cem') }]) {
      expect(relayTo(call.state, by)).toMatchObject({ refusal: { code: 'stale' } });
    }
    expect(relayTo(call.end('ann').state, callerOf('ben'))).toMatchObject({ refusal: { code: 'stale' } });
  });

  test('SE-5 there is nothing to relay in a text call, nor where the SFU carries the call', () => {
    expect(relayTo(scenario({ mode: 'text' }).state, callerOf('ann'))).toMatchObject({ refusal: { code: 'conflict' } });
    const carried = scenario({ sfuAllowed: true }).useSfu('ann').state;
    expect(relayTo(carried, callerOf('ann'))).toMatchObject({ refusal: { code: 'conflict' } });
  });
});

describe('Hiding the address', () => {
  const hides = (about: AboutCall, always = false): boolean[] => {
    const { state, limits } = scenario(about);
    return [ann, ben].map((userId) => mustHideAddress(state, userId, { always, limits }));
  };

  test('RD-12 is for those who asked for it, or for everybody by the rule of the operator', () => {
    expect(hides({})).toEqual([false, false]);
    expect(hides({ ann: { search: { hideAddress: true } } })).toEqual([true, false]);
    expect(hides({}, true)).toEqual([true, true]);
    expect(mustHideAddress(scenario().state, idOf('cem'), { always: true, limits: defaultLimits })).toBe(false);
  });

  test('RD-3 RD-12 is for those whom only the relay connects', () => {
    expect(hides({ ben: { history: { failuresInARow: 2 } } })).toEqual([false, false]);
    expect(hides({ ben: { history: { failuresInARow: 3 } } })).toEqual([false, true]);
    expect(hides({ ben: { history: { failuresInARow: 0, relay: true } } })).toEqual([false, true]);
  });

  test('RD-12 only relayed candidates are asked for where there is a relay', () => {
    const { state } = scenario({ ann: { search: { hideAddress: true } } });
    expect(matchOf(state, ann, context).relayOnly).toBe(true);
    expect(matchOf(state, ben, context).relayOnly).toBe(false);
    expect(matchOf(state, ann, { ...context, relayAvailable: false }).relayOnly).toBe(false);
    expect(matchOf(state, ben, { ...context, relayAlways: true }).relayOnly).toBe(true);
  });
});

describe('What a side sees', () => {
  test('RD-1 the match: who the other is, who offers, and the languages in their own order', () => {
    const { state } = scenario({
      ann: { search: { languages: ['de', 'en-GB'] } },
      ben: { search: { languages: ['en', 'fr', 'de-AT'] } },
    });
    expect(matchOf(state, ann, context)).toEqual({
      sessionId: idOf('call'),
      mode: 'voice',
      partner: { id: ben, displayName: 'ben', avatarUrl: null },
      languages: ['de', 'en-GB'],
      initiateConnection: false,
      iceServers,
      relayOnly: false,
      sfuAllowed: false,
      connectBy: start + 8 * second,
    });
    expect(matchOf(state, ben, { ...context, sfuAllowed: true })).toMatchObject({
      partner: { id: ann, displayName: 'ann' },
      languages: ['en', 'de-AT'],
      initiateConnection: true,
      sfuAllowed: true,
    });
    expect(randomEvents['random:match_instant'].safeParse(matchOf(state, ann, context)).success).toBe(true);
    expect(() => matchOf(state, idOf('cem'), context)).toThrow();
  });

  test('RQ-9 a text call needs no servers', () => {
    const { state } = scenario({ mode: 'text', ann: { search: { hideAddress: true } } });
    const match = matchOf(state, ann, { ...context, sfuAllowed: true });
    expect(match).toMatchObject({ mode: 'text', iceServers: [], relayOnly: false, sfuAllowed: false });
  });

  test('RD-5 where they stand after a reconnection', () => {
    const chat = [{ messageId: idOf('message'), byId: ann, text: 'hello', at: start }];
    const call = talking({ plans: true }).pass(minute).lose('ben').extend('ann');
    const state = randomStateOf(call.state, ann, { ...context, chat });
    expect(state).toEqual({
      state: 'call',
      match: matchOf(call.state, ann, context),
      phase: 'reconnecting',
      connectedAt: start,
      resumeUntil: start + minute + 10 * second,
      partnerAway: true,
      answerUntil: null,
      endsAt: start + 10 * minute,
      asked: true,
      partnerAsked: false,
      throughSfu: false,
      chat,
    });
    expect(randomStateSchema.safeParse(state).success).toBe(true);
    expect(randomStateOf(call.state, ben, { ...context, chat: [] })).toMatchObject({
      partnerAway: false,
      asked: false,
      partnerAsked: true,
    });
  });

  test('RD-7 the question that is open', () => {
    const call = talking().pass(90 * second);
    expect(randomStateOf(call.state, ben, { ...context, chat: [] })).toMatchObject({
      phase: 'connected',
      answerUntil: start + 120 * second,
    });
  });

  test('RD-14 a call that is over, or somebody else, is nothing to see', () => {
    const call = talking();
    expect(randomStateOf(call.state, idOf('cem'), { ...context, chat: [] })).toEqual({ state: 'idle' });
    expect(randomStateOf(call.end('ann').state, ann, { ...context, chat: [] })).toEqual({ state: 'idle' });
  });
});

describe('What is kept of a call', () => {
  test('RD-13 who, mode, language and when it began', () => {
    const call = scenario({
      mode: 'video',
      ann: { kind: 'member', search: { languages: ['de', 'en'] } },
      ben: { search: { languages: ['en-US'] } },
    });
    const record: CallRecord = recordOf(call.state);
    expect(record).toEqual({
      callId: idOf('call'),
      kind: 'random',
      mode: 'video',
      language: 'en',
      people: [
        { userId: ann, displayName: 'ann', kind: 'member' },
        { userId: ben, displayName: 'ben', kind: 'guest' },
      ],
      startedAt: start,
      outcome: null,
    });
    expect(recordOf(scenario().state).language).toBeNull();
    expect(() => outcomeOf(call.state)).toThrow();
  });

  test('RD-13 how it went: when it ended and why, the less preferred of both routes, and what each measured', () => {
    const call = scenario()
      .wait(second)
      .connected('ann', 'turn_relay_tcp')
      .connected('ben', 'p2p_udp')
      .report('ann', { lossPercent: 1, jitterMs: 10, roundTripMs: 100 })
      .report('ann', { lossPercent: 4, jitterMs: 30, roundTripMs: 50 })
      .wait(hour)
      .end('ben');
    const outcome: CallOutcome = outcomeOf(call.state);
    expect(outcome).toEqual({
      endedAt: start + second + hour,
      reason: 'hung-up',
      endedBy: ben,
      connectedAt: start + second,
      route: 'turn_relay_tcp',
      quality: [
        {
          averageLossPercent: 2.5,
          worstLossPercent: 4,
          averageJitterMs: 20,
          worstJitterMs: 30,
          averageRoundTripMs: 75,
          worstRoundTripMs: 100,
        },
        null,
      ],
    });
    expect(recordOf(call.state).outcome).toEqual(outcome);
  });

  test('RD-13 a call that never connected has no route and no time of connection; the record says who was blocked by whom', () => {
    expect(outcomeOf(scenario().pass(8 * second).state)).toMatchObject({
      connectedAt: null,
      route: null,
      endedBy: null,
      quality: [null, null],
    });
    expect(outcomeOf(talking().block('ann', 'ben').state)).toMatchObject({ reason: 'blocked', endedBy: ann });
  });

  test('RD-13 nothing is measured before media flows', () => {
    expect(scenario().refusal((c) => c.report('ann'))).toBe('conflict');
    const call = talking().loseMedia('ann').report('ann', { lossPercent: 100 });
    expect(call.side('ann').quality).toMatchObject({ reports: 1, lossPercent: { sum: 100, worst: 100 } });
  });

  test('RD-13 the route is kept when media is lost, and is that of the last device', () => {
    const call = talking().loseMedia('ann').end('ann');
    expect(outcomeOf(call.state).route).toBe('p2p_udp');
    const moved = talking().comeBack('ann', "ann's tablet").connected('ann', 'turn_relay_udp', "ann's tablet");
    expect(outcomeOf(moved.end('ben').state).route).toBe('turn_relay_udp');
  });
});
