import { describe, expect, test } from 'vitest';
import { beginning } from '../../../src/rules/call/begin.ts';
import { partnerOf } from '../../../src/rules/call/state.ts';
import { later, ticketFor } from '../matching/support.ts';
import { hour, idOf, nameOf, second, start } from '../support.ts';
import { scenario, talking } from './support.ts';

describe('How a call begins', () => {
  test('RD-1 who waited longer is first and answers, the other offers, whoever found whom', () => {
    const tickets = [ticketFor('ann', { waited: 3 }), ticketFor('ben', { waited: 2 })] as const;
    const context = { ...later(0), callId: idOf('call'), plans: false };
    const call = beginning(tickets, context);
    expect(call.sides.map(({ userId, offers }) => [nameOf(userId), offers])).toEqual([
      ['ann', false],
      ['ben', true],
    ]);
    expect(call.origin.tickets).toEqual(tickets);
    expect(beginning([tickets[1], tickets[0]], context)).toEqual(call);
  });

  test('RD-1 of two who came at the same moment always the same one offers', () => {
    const [ann, ben] = [ticketFor('ann'), ticketFor('ben')];
    const context = { ...later(0), callId: idOf('call'), plans: false };
    expect(beginning([ben, ann], context)).toEqual(beginning([ann, ben], context));
  });

  test('RD-1 it is connecting, from the devices that waited', () => {
    const call = scenario({ ann: { search: { languages: ['de', 'en-GB'] } }, ben: { search: { languages: ['en'] } } });
    expect(call.state).toMatchObject({
      callId: idOf('call'),
      mode: 'voice',
      phase: 'connecting',
      languages: ['en-GB'],
      matchedAt: start,
      connectedAt: null,
      resumeUntil: null,
      endsAt: null,
      throughSfu: false,
      ended: null,
    });
    expect(call.side('ann')).toMatchObject({ sessionId: "ann's phone", linked: false, awaySince: null, route: null });
    expect(call.due).toEqual({ connect: 8 * second, 'max-duration': 4 * hour });
  });

  test('RD-1 everybody in it has one partner, and who is not in it has none', () => {
    const { state } = scenario();
    expect(partnerOf(state, idOf('ann'))?.userId).toBe(idOf('ben'));
    expect(partnerOf(state, idOf('ben'))?.userId).toBe(idOf('ann'));
    expect(partnerOf(state, idOf('cem'))).toBeUndefined();
  });

  test('RQ-9 RD-1 a text call is connected at once: there is nothing to negotiate', () => {
    const call = scenario({ mode: 'text' });
    expect(call.state).toMatchObject({ mode: 'text', phase: 'connected', connectedAt: start });
    expect(call.due).toEqual({ 'max-duration': 4 * hour });
    expect(call.refusal((c) => c.connected('ann'))).toBe('conflict');
    expect(call.refusal((c) => c.loseMedia('ann'))).toBe('conflict');
    expect(call.refusal((c) => c.report('ann'))).toBe('conflict');
    expect(call.pass(hour).state.phase).toBe('connected');
  });
});

describe('Connecting', () => {
  test('RD-1 a call is connected when both sides have media, and both are told', () => {
    const call = scenario().wait(second).connected('ann');
    expect(call.state).toMatchObject({ phase: 'connecting', connectedAt: null });
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[], []]);
    call.wait(second).connected('ben', 'turn_relay_udp');
    expect(call.state).toMatchObject({ phase: 'connected', connectedAt: start + 2 * second });
    const told = [
      ['random:connected', { connectedAt: start + 2 * second, endsAt: null, asked: false, partnerAsked: false }],
    ];
    expect([call.heard('ann'), call.heard('ben')]).toEqual([told, told]);
    expect(call.side('ben').route).toBe('turn_relay_udp');
    expect(call.due).toEqual({ idle: 90 * second, 'max-duration': 4 * hour - 2 * second });
  });

  test('RD-1 saying it twice changes nothing; another route is noted, and nobody is told', () => {
    const call = talking();
    const { length } = call.events;
    call.connected('ann');
    expect(call.events).toHaveLength(length);
    call.connected('ann', 'turn_relay_tls');
    expect(call.side('ann').route).toBe('turn_relay_tls');
    expect(call.state.phase).toBe('connected');
    expect(call.heard('ben')).toEqual([]);
  });

  test('RD-3 not connected after 8 s: both are told and wait again at the front', () => {
    const call = scenario()
      .connected('ann')
      .pass(8 * second - 1);
    expect(call.endReason).toBeUndefined();
    call.pass(1);
    expect(call.state.ended).toEqual({ at: start + 8 * second, reason: 'connect-timeout', by: null });
    expect(call.waiting).toEqual({ ann: 'front', ben: 'front' });
    const told = [['random:connection_timeout', { requeued: true, failuresInARow: 1, relayFromNow: false }]];
    expect([call.heard('ann'), call.heard('ben')]).toEqual([told, told]);
  });

  test('RD-3 media that is lost again before both had it does not hold the time up', () => {
    const call = scenario()
      .connected('ann')
      .loseMedia('ann')
      .connected('ben')
      .pass(8 * second);
    expect(call.endReason).toBe('connect-timeout');
    expect(call.all('window-opened')).toEqual([]);
  });

  test('RD-3 the third failure in a row says that the relay is used from now on, to the one whom it concerns', () => {
    const call = scenario({ ben: { history: { failuresInARow: 2 } } }).pass(8 * second);
    expect(call.heard('ann')[0]?.[1]).toMatchObject({ failuresInARow: 1, relayFromNow: false });
    expect(call.heard('ben')[0]?.[1]).toMatchObject({ failuresInARow: 3, relayFromNow: true });
  });

  test('RD-5 RD-3 who is away while it connects has a window, and the time to connect runs on', () => {
    const call = scenario().wait(second).lose('ann');
    expect(call.state).toMatchObject({ phase: 'connecting', resumeUntil: start + 11 * second });
    expect(call.heard('ben')).toEqual([['random:partner_disconnected', { resumeUntil: start + 11 * second }]]);
    expect(call.due).toMatchObject({ connect: 7 * second, resume: 10 * second });
    call.wait(second).comeBack('ann');
    expect(call.state).toMatchObject({ phase: 'connecting', resumeUntil: null });
    expect(call.heard('ben')).toEqual([['random:partner_returned', {}]]);
    expect(call.due).not.toHaveProperty('resume');
    expect(call.pass(6 * second).endReason).toBe('connect-timeout');
  });

  test('RD-5 with media on both sides only the connection to the server is missing: the call goes on with it', () => {
    const call = scenario().lose('ann').wait(second).connected('ann').connected('ben');
    expect(call.state).toMatchObject({ phase: 'connecting', connectedAt: null });
    expect(call.due).not.toHaveProperty('connect');
    call.pass(8 * second).comeBack('ann');
    expect(call.state).toMatchObject({ phase: 'connected', connectedAt: start + 9 * second, resumeUntil: null });
    expect(
      scenario()
        .lose('ann')
        .bothConnected()
        .pass(10 * second).endReason,
    ).toBe('lost');
  });
});

describe('The last resort', () => {
  test('RD-4 the SFU carries a call only where the operator allows it', () => {
    expect(scenario().refusal((c) => c.useSfu('ann'))).toBe('feature_unavailable');
    expect(scenario({ sfuAllowed: true, mode: 'text' }).refusal((c) => c.useSfu('ann'))).toBe('conflict');
    expect(talking({ sfuAllowed: true }).refusal((c) => c.useSfu('ann'))).toBe('conflict');
  });

  test('RD-4 both are told, and both have 8 s to connect by it', () => {
    const call = scenario({ sfuAllowed: true })
      .connected('ann')
      .pass(7 * second)
      .useSfu('ben');
    expect(call.state).toMatchObject({ phase: 'connecting', throughSfu: true, connectBy: start + 15 * second });
    expect([call.side('ann'), call.side('ben')]).toMatchObject([
      { linked: false, route: null },
      { linked: false, route: null },
    ]);
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[['random:sfu', {}]], [['random:sfu', {}]]]);
    const { length } = call.events;
    expect(call.useSfu('ann').events).toHaveLength(length);
    call.pass(7 * second).bothConnected('sfu');
    expect(call.state).toMatchObject({ phase: 'connected', connectedAt: start + 14 * second });
    expect(call.side('ann').route).toBe('sfu');
    expect(
      scenario({ sfuAllowed: true })
        .pass(second)
        .useSfu('ann')
        .pass(8 * second).endReason,
    ).toBe('connect-timeout');
  });

  test('RD-4 what is said of another way than the present one does not count', () => {
    const call = scenario({ sfuAllowed: true });
    expect(call.refusal((c) => c.connected('ann', 'sfu'))).toBe('conflict');
    call.useSfu('ann');
    expect(call.refusal((c) => c.connected('ann', 'p2p_udp'))).toBe('conflict');
  });

  test('RD-4 RD-5 it can be chosen while a call is reconnecting, whose window stays', () => {
    const call = talking({ sfuAllowed: true })
      .loseMedia('ann')
      .wait(4 * second)
      .useSfu('ann');
    expect(call.state).toMatchObject({ phase: 'reconnecting', throughSfu: true, resumeUntil: start + 10 * second });
    expect(call.due).toMatchObject({ resume: 6 * second });
    expect(call.bothConnected('sfu').state).toMatchObject({
      phase: 'connected',
      connectedAt: start,
      resumeUntil: null,
    });
  });
});
