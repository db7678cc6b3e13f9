import { describe, expect, test } from 'vitest';
import { hour, minute, second, start } from '../support.ts';
import { scenario, talking } from './support.ts';

const asked = (ms: number) => ['random:idle_check', { answerUntil: start + ms }];
const answered = ['random:idle_check', { answerUntil: null }];
const time = (endsAt: number, own = false, partner = false) => [
  'random:time_warning',
  { endsAt: start + endsAt, asked: own, partnerAsked: partner },
];

describe('Silence', () => {
  test('RD-7 after 90 s of silence from both in a voice call both are asked, and 30 s without an answer end it', () => {
    const call = talking().pass(90 * second - 1);
    expect(call.heard('ann')).toEqual([]);
    call.pass(1);
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[asked(120 * second)], [asked(120 * second)]]);
    expect(call.state.answerUntil).toBe(start + 120 * second);
    expect(call.pass(30 * second - 1).endReason).toBeUndefined();
    call.pass(1);
    expect(call.state.ended).toEqual({ at: start + 120 * second, reason: 'idle', by: null });
    expect(call.waiting).toEqual({});
  });

  test('RD-7 an answer of either is enough; both are told, and silence counts anew', () => {
    const call = talking()
      .pass(100 * second)
      .quiet()
      .stillHere('ben');
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[answered], [answered]]);
    expect(call.state).toMatchObject({ answerUntil: null, activeAt: start + 100 * second });
    expect(call.due).toMatchObject({ idle: 90 * second });
    expect(call.pass(90 * second).state.answerUntil).toBe(start + 220 * second);
  });

  test('RD-7 speech and chat break the silence, and answer the question', () => {
    const call = talking()
      .pass(80 * second)
      .report('ann', { spoke: true })
      .pass(80 * second)
      .chat('ben');
    expect(call.pass(90 * second - 1).all('idle-asked')).toEqual([]);
    call.pass(1).quiet().report('ben', { spoke: true });
    expect(call.heard('ann')).toEqual([answered]);
    call
      .pass(90 * second)
      .quiet()
      .chat('ann');
    expect(call.heard('ben')).toEqual([answered]);
    expect(call.state.answerUntil).toBeNull();
  });

  test('RD-7 a report without speech breaks nothing, and an answer without a question says nothing', () => {
    const call = talking()
      .pass(89 * second)
      .report('ann')
      .stillHere('ann')
      .pass(second);
    expect(call.state.answerUntil).toBe(start + 120 * second);
  });

  test('RD-7 nobody is asked in a video or a text call', () => {
    for (const call of [talking({ mode: 'video' }), scenario({ mode: 'text' })]) {
      call.chat('ann').pass(hour);
      expect(call.state.phase).toBe('connected');
      expect(call.events.some(({ type }) => type === 'idle-asked' || type === 'active')).toBe(false);
    }
  });

  test('RD-7 RD-5 while a call reconnects nobody is asked; with media the silence begins anew, and a question is over', () => {
    const call = talking()
      .pass(85 * second)
      .loseMedia('ann')
      .pass(9 * second);
    expect(call.all('idle-asked')).toEqual([]);
    call
      .connected('ann')
      .pass(90 * second)
      .quiet()
      .loseMedia('ann')
      .pass(second)
      .quiet();
    expect(call.state.answerUntil).not.toBeNull();
    call.connected('ann');
    expect(call.state.answerUntil).toBeNull();
    expect(call.heard('ben').map(([name]) => name)).toEqual(['random:connected', 'random:idle_check']);
  });
});

describe('The time of a call', () => {
  test('RD-8 is unlimited by default, and cannot be extended', () => {
    const call = talking();
    expect(call.state.endsAt).toBeNull();
    expect(call.due).not.toHaveProperty('end');
    expect(call.refusal((c) => c.extend('ann'))).toBe('conflict');
  });

  test('RD-8 with plans a free call lasts 10 minutes from when it was connected, with a warning at 60 s', () => {
    const call = scenario({ plans: true, mode: 'video' });
    expect(call.state.endsAt).toBeNull();
    call
      .wait(5 * second)
      .bothConnected()
      .quiet();
    expect(call.state.endsAt).toBe(start + 5 * second + 10 * minute);
    call.pass(9 * minute - 1);
    expect(call.heard('ann')).toEqual([]);
    call.pass(1);
    const told = [time(5 * second + 10 * minute)];
    expect([call.heard('ann'), call.heard('ben')]).toEqual([told, told]);
    expect(call.elapse('warning').heard('ann')).toEqual([]);
    expect(call.pass(minute - 1).endReason).toBeUndefined();
    expect(call.pass(1).endReason).toBe('time-limit');
  });

  test('RD-8 30 minutes where either is premium, in a text call too', () => {
    for (const about of [{ ann: { plan: 'premium' } }, { ben: { plan: 'premium' } }] as const) {
      expect(talking({ plans: true, ...about }).state.endsAt).toBe(start + 30 * minute);
      expect(scenario({ plans: true, mode: 'text', ...about }).state.endsAt).toBe(start + 30 * minute);
    }
    expect(scenario({ plans: true, mode: 'text' }).pass(10 * minute).endReason).toBe('time-limit');
  });

  test('RD-8 is extended by 5 minutes when both agree, and warned of again', () => {
    const call = talking({ plans: true, mode: 'video' })
      .pass(9.5 * minute)
      .quiet()
      .extend('ann');
    expect(call.heard('ann')).toEqual([time(10 * minute, true, false)]);
    expect(call.heard('ben')).toEqual([time(10 * minute, false, true)]);
    const { length } = call.events;
    expect(call.extend('ann').events).toHaveLength(length);
    expect(call.state.endsAt).toBe(start + 10 * minute);
    call.extend('ben');
    expect([call.heard('ann'), call.heard('ben')]).toEqual([[time(15 * minute)], [time(15 * minute)]]);
    expect(call.state).toMatchObject({ endsAt: start + 15 * minute, warned: false });
    call.pass(4.5 * minute);
    expect(call.heard('ben')).toEqual([time(15 * minute)]);
    expect(call.extend('ben').extend('ann').state.endsAt).toBe(start + 20 * minute);
    expect(call.pass(6 * minute).endReason).toBe('time-limit');
  });

  test('RD-8 RD-5 is not stopped by a loss, nor begun anew by coming back', () => {
    const call = talking({ plans: true }).pass(minute).lose('ann').pass(second).comeBack('ann');
    expect(call.state.endsAt).toBe(start + 10 * minute);
  });

  test('DC-8 a call ends after 4 h, whatever it is doing', () => {
    expect(talking({ mode: 'video' }).pass(4 * hour - 1).endReason).toBeUndefined();
    expect(talking({ mode: 'video' }).pass(4 * hour).endReason).toBe('max-duration');
    const extended = talking({ plans: true, mode: 'video' });
    while (extended.endReason === undefined)
      extended
        .extend('ann')
        .extend('ben')
        .pass(5 * minute);
    expect(extended.state.ended).toMatchObject({ reason: 'max-duration', at: start + 4 * hour });
  });

  test('RD-3 RD-8 DC-8 a deadline that comes early or without a cause does nothing', () => {
    const call = talking({ plans: true });
    const { length } = call.events;
    for (const key of ['connect', 'resume', 'idle', 'idle-answer', 'warning', 'end', 'max-duration'] as const) {
      call.elapse(key);
    }
    expect(call.events).toHaveLength(length);
  });
});
