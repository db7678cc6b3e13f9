import type { Search } from '@rostrum/shared/protocol/random.ts';
import { describe, expect, test } from 'vitest';
import {
  arriving,
  avoiding,
  cameBack,
  elapsed,
  ticketDeadlinesOf,
  waitingAgain,
  wentAway,
} from '../../../src/rules/matching/queue.ts';
import { noHistory, type Ticket, type TicketDeadlineKey } from '../../../src/rules/matching/ticket.ts';
import { idOf, minute, second, start } from '../support.ts';
import { later, met, searchWith, ticketFor } from './support.ts';

const { limits } = later(0);
const { seeker } = ticketFor('ann');

const arrivingWith = (search: Partial<Search>, languageHoldMs = 0): Ticket =>
  arriving(seeker, searchWith(search), {
    ...later(0, { languageHoldMs }),
    ticketId: 'a ticket',
    history: noHistory,
    blocked: [idOf('cem')],
  });

const deadlines = (ticket: Ticket): Partial<Record<TicketDeadlineKey, number>> =>
  Object.fromEntries([...ticketDeadlinesOf(ticket, limits)].map(([key, at]) => [key, at - start]));

describe('A place in the queue', () => {
  test('RQ-1 begins with the time of arrival, at the back', () => {
    expect(arrivingWith({ mode: 'text' })).toEqual({
      ticketId: 'a ticket',
      seeker,
      search: searchWith({ mode: 'text' }),
      queuedAt: start,
      front: false,
      languageUntil: start,
      relaxed: [],
      awaySince: null,
      history: noHistory,
      blocked: [idOf('cem')],
    });
  });

  test('RQ-2 is held for a language only where that is preferred, named and wanted by the operator', () => {
    const search = { languages: ['de'], preferLanguages: true };
    expect(arrivingWith(search).languageUntil).toBe(start);
    expect(arrivingWith(search, 3 * second).languageUntil).toBe(start + 3 * second);
    expect(arrivingWith({ languages: ['de'] }, 3 * second).languageUntil).toBe(start);
    expect(arrivingWith({ preferLanguages: true }, 3 * second).languageUntil).toBe(start);
  });

  test('RQ-5 ends after 60 s without a match', () => {
    const ticket = arrivingWith({});
    expect(deadlines(ticket)).toEqual({ wait: minute });
    expect(elapsed(ticket, 'wait', later(minute - 1))).toEqual({ kind: 'nothing' });
    expect(elapsed(ticket, 'wait', later(minute))).toEqual({ kind: 'remove', reason: 'timeout' });
  });

  test('RQ-5 is kept for 15 s for somebody who is away, from the first time that was seen', () => {
    const ticket = wentAway(wentAway(arrivingWith({}), start + second), start + 10 * second);
    expect(ticket.awaySince).toBe(start + second);
    expect(deadlines(ticket)).toEqual({ wait: minute, grace: 16 * second });
    expect(elapsed(ticket, 'grace', later(16 * second - 1))).toEqual({ kind: 'nothing' });
    expect(elapsed(ticket, 'grace', later(16 * second))).toEqual({ kind: 'remove', reason: 'lost' });
    expect(elapsed(ticket, 'wait', later(minute))).toEqual({ kind: 'remove', reason: 'timeout' });
  });

  test('RQ-5 ID-5 is there again for whoever comes back, on whichever device', () => {
    const ticket = arrivingWith({});
    const connection = { sessionId: "ann's tablet", node: 'node b' };
    const back = cameBack(wentAway(ticket, start + second), connection);
    expect(back).toEqual({ ...ticket, seeker: { ...seeker, ...connection } });
    expect(elapsed(back, 'grace', later(minute))).toEqual({ kind: 'nothing' });
  });

  test('RQ-4 somebody blocked while waiting is avoided, once', () => {
    const ticket = avoiding(arrivingWith({}), idOf('dan'));
    expect(ticket.blocked).toEqual([idOf('cem'), idOf('dan')]);
    expect(avoiding(ticket, idOf('dan'))).toBe(ticket);
  });

  test('RQ-2 when the hold for a language is over, a partner is looked for again', () => {
    const held = ticketFor('ann', { heldMs: 5 * second });
    expect(deadlines(held)).toEqual({ wait: minute, language: 5 * second });
    expect(elapsed(held, 'language', later(5 * second - 1))).toEqual({ kind: 'nothing' });
    expect(elapsed(held, 'language', later(5 * second))).toEqual({ kind: 'look' });
    expect(elapsed(arrivingWith({}), 'language', later(minute))).toEqual({ kind: 'nothing' });
  });

  test('RQ-4 when the same partner may come again, a partner is looked for again', () => {
    const ticket = ticketFor('ann', { history: met(0, 'ben') });
    expect(deadlines(ticket)).toEqual({ wait: minute, repeat: 5 * second });
    expect(elapsed(ticket, 'repeat', later(5 * second - 1))).toEqual({ kind: 'nothing' });
    expect(elapsed(ticket, 'repeat', later(5 * second))).toEqual({ kind: 'look' });
  });

  test('RQ-5 nobody is looked for on behalf of somebody who is away', () => {
    const ticket = ticketFor('ann', { heldMs: second, history: met(0, 'ben'), away: 0 });
    expect(elapsed(ticket, 'language', later(5 * second))).toEqual({ kind: 'nothing' });
    expect(elapsed(ticket, 'repeat', later(5 * second))).toEqual({ kind: 'nothing' });
  });

  test('RQ-3 filters are relaxed one by one, each 15 s: reputation, gender, age', () => {
    let ticket = arrivingWith({ filters: { minReputation: 10, genders: ['other'], ageRanges: ['55+'] } });
    expect(elapsed(ticket, 'relax', later(15 * second - 1))).toEqual({ kind: 'nothing' });
    for (const [index, filter] of (['reputation', 'gender', 'age'] as const).entries()) {
      const at = (index + 1) * 15 * second;
      expect(deadlines(ticket)).toEqual({ wait: minute, relax: at });
      const outcome = elapsed(ticket, 'relax', later(at));
      if (outcome.kind !== 'change') throw new Error(`${filter} was not relaxed`);
      expect(outcome.ticket).toEqual({ ...ticket, relaxed: [...ticket.relaxed, filter] });
      ({ ticket } = outcome);
    }
    expect(deadlines(ticket)).toEqual({ wait: minute });
    expect(elapsed(ticket, 'relax', later(minute))).toEqual({ kind: 'nothing' });
  });

  test('RQ-3 only filters that are set are relaxed', () => {
    const ticket = arrivingWith({ filters: { minReputation: null, genders: null, ageRanges: ['55+'] } });
    expect(elapsed(ticket, 'relax', later(15 * second))).toEqual({
      kind: 'change',
      ticket: { ...ticket, relaxed: ['age'] },
    });
  });

  test('RQ-3 a deadline that comes twice relaxes one filter', () => {
    const ticket = arrivingWith({ filters: { minReputation: 10, genders: ['other'], ageRanges: null } });
    const outcome = elapsed(ticket, 'relax', later(15 * second));
    const once = outcome.kind === 'change' ? outcome.ticket : ticket;
    expect(elapsed(once, 'relax', later(15 * second))).toEqual({ kind: 'nothing' });
  });

  test('RD-3 RD-6 who waits again begins anew, with the same search', () => {
    const ticket = ticketFor('ann', {
      waited: minute,
      relaxed: ['age'],
      blocked: ['cem'],
      search: {
        languages: ['de'],
        preferLanguages: true,
        filters: { minReputation: null, genders: null, ageRanges: ['55+'] },
      },
    });
    const history = { ...noHistory, failuresInARow: 1 };
    const again = waitingAgain(ticket, {
      ...later(second, { languageHoldMs: 2 * second }),
      front: true,
      ticketId: 'another',
      history,
      awaySince: start,
      connection: { sessionId: "ann's tablet", node: 'node b' },
    });
    expect(again).toEqual({
      ...ticket,
      ticketId: 'another',
      seeker: { ...ticket.seeker, sessionId: "ann's tablet", node: 'node b' },
      queuedAt: start + second,
      languageUntil: start + 3 * second,
      front: true,
      relaxed: [],
      awaySince: start,
      history,
    });
  });
});
