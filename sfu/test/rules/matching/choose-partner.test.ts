import { defaultLimits } from '@rostrum/shared/limits.ts';
import { callModes } from '@rostrum/shared/protocol/call.ts';
import { describe, expect, test } from 'vitest';
import { choosePartner, sharedLanguages, suits } from '../../../src/rules/matching/choose-partner.ts';
import type { Moment, Ticket } from '../../../src/rules/matching/ticket.ts';
import { hour, idOf, minute, nameOf, second, start } from '../support.ts';
import { type AboutTicket, later, met, ticketFor } from './support.ts';

const now = later(0);
const isPair = (one: AboutTicket, other: AboutTicket, at: Moment = now): boolean => {
  const tickets = [ticketFor('ann', one), ticketFor('ben', other)] as const;
  const forth = suits(tickets[0], tickets[1], at);
  expect(suits(tickets[1], tickets[0], at)).toBe(forth);
  return forth;
};

/** Whom `ann`, who has just come, is paired with. The order in which the others are handed over must not matter. */
const chosen = (me: AboutTicket, others: Record<string, AboutTicket>, at: Moment = now): string | undefined => {
  const waiting = Object.entries(others).map(([name, about]) => ticketFor(name, about));
  return chosenOf(ticketFor('ann', me), waiting, at);
};

const chosenOf = (me: Ticket, waiting: readonly Ticket[], at: Moment): string | undefined => {
  const found = choosePartner(me, [...waiting, me], at);
  expect(choosePartner(me, [me, ...waiting.toReversed()], at)).toBe(found);
  return found && nameOf(found.seeker.userId);
};

describe('Who may be paired', () => {
  test('RQ-1 anybody who waits, and nobody where nobody does', () => {
    expect(isPair({}, {})).toBe(true);
    expect(chosen({}, { ben: {} })).toBe('ben');
    expect(chosen({}, {})).toBeUndefined();
  });

  test('RQ-9 one is matched within the same mode', () => {
    for (const one of callModes) {
      for (const other of callModes) {
        expect(isPair({ search: { mode: one } }, { search: { mode: other } })).toBe(one === other);
      }
    }
  });

  test('RQ-4 never oneself, on whatever device', () => {
    const me = ticketFor('ann');
    expect(suits(me, { ...me, ticketId: 'another', seeker: { ...me.seeker, sessionId: "ann's tablet" } }, now)).toBe(
      false,
    );
    expect(choosePartner(me, [me], now)).toBeUndefined();
  });

  test('RQ-4 nobody whom either side has blocked', () => {
    expect(isPair({ blocked: ['ben'] }, {})).toBe(false);
    expect(isPair({}, { blocked: ['ann'] })).toBe(false);
    expect(isPair({ blocked: ['cem'] }, { blocked: ['dan'] })).toBe(true);
    expect(chosen({ blocked: ['ben'] }, { ben: { waited: minute }, cem: {} })).toBe('cem');
  });

  test('RQ-5 nobody who is away', () => {
    expect(isPair({ away: 0 }, {})).toBe(false);
    expect(chosen({}, { ben: { waited: minute, away: second }, cem: {} })).toBe('cem');
    expect(chosen({ away: 0 }, { ben: {} })).toBeUndefined();
  });

  test('RD-3 a pair that failed twice is kept apart for an hour', () => {
    const failed = (times: number, until: number): AboutTicket => ({
      history: { failed: [{ userId: idOf('ben'), times, until }] },
    });
    expect(isPair(failed(1, start + hour), {})).toBe(true);
    expect(isPair(failed(2, start + hour), {})).toBe(false);
    expect(isPair(failed(2, start + hour), {}, later(hour - 1))).toBe(false);
    expect(isPair(failed(2, start + hour), {}, later(hour))).toBe(true);
    const other = { failed: [{ userId: idOf('ann'), times: 2, until: start + hour }] };
    expect(isPair({}, { history: other })).toBe(false);
  });
});

describe('Filters', () => {
  test('RQ-3 a minimum reputation holds for the other side', () => {
    const wants: AboutTicket = { search: { filters: { minReputation: 60, genders: null, ageRanges: null } } };
    expect(isPair(wants, { reputation: 59 })).toBe(false);
    expect(isPair(wants, { reputation: 60 })).toBe(true);
    expect(isPair({ ...wants, reputation: 0 }, { reputation: 60 })).toBe(true);
  });

  test('RQ-3 genders and ages hold for those who gave theirs; who gave none passes no filter on them', () => {
    const women: AboutTicket = { search: { filters: { minReputation: null, genders: ['female'], ageRanges: null } } };
    const young: AboutTicket = {
      search: { filters: { minReputation: null, genders: null, ageRanges: ['18-24', '25-34'] } },
    };
    expect(isPair(women, { search: { about: { gender: 'female', ageRange: null } } })).toBe(true);
    expect(isPair(women, { search: { about: { gender: 'male', ageRange: null } } })).toBe(false);
    expect(isPair(women, {})).toBe(false);
    expect(isPair(young, { search: { about: { gender: null, ageRange: '25-34' } } })).toBe(true);
    expect(isPair(young, { search: { about: { gender: null, ageRange: '35-44' } } })).toBe(false);
    expect(isPair(young, {})).toBe(false);
  });

  test('RQ-3 both sides must accept each other', () => {
    const woman = { gender: 'female', ageRange: null } as const;
    const man = { gender: 'male', ageRange: null } as const;
    const only = (gender: 'female' | 'male') => ({ minReputation: null, genders: [gender], ageRanges: null });
    expect(isPair({ search: { about: woman, filters: only('male') } }, { search: { about: man } })).toBe(true);
    expect(
      isPair({ search: { about: woman, filters: only('male') } }, { search: { about: man, filters: only('male') } }),
    ).toBe(false);
  });

  test('RQ-3 a filter that was relaxed holds no more, the others do', () => {
    const wants = (relaxed: Ticket['relaxed']): AboutTicket => ({
      relaxed,
      search: { filters: { minReputation: 60, genders: ['other'], ageRanges: ['55+'] } },
    });
    const nobody: AboutTicket = { reputation: 0 };
    expect(isPair(wants(['reputation', 'gender']), nobody)).toBe(false);
    expect(isPair(wants(['reputation', 'gender']), { search: { about: { gender: null, ageRange: '55+' } } })).toBe(
      true,
    );
    expect(isPair(wants(['reputation', 'gender', 'age']), nobody)).toBe(true);
  });
});

describe('Languages', () => {
  test('RQ-2 languages are shared by their primary subtag, in the order and spelling of the first, each once', () => {
    expect(sharedLanguages(['de', 'en-GB', 'fr'], ['FR-ca', 'en'])).toEqual(['en-GB', 'fr']);
    expect(sharedLanguages(['en-GB', 'en-US'], ['en'])).toEqual(['en-GB']);
    expect(sharedLanguages(['zh-Hant'], ['zh-Hans'])).toEqual(['zh-Hant']);
    expect(sharedLanguages(['en'], ['eng'])).toEqual([]);
    expect(sharedLanguages([], ['en'])).toEqual([]);
    expect(sharedLanguages(['en'], [])).toEqual([]);
  });

  test('RQ-2 with the preference on, whoever shares a language goes first, in the order given, else anybody', () => {
    const others: Record<string, AboutTicket> = {
      ben: { waited: 50 * second },
      cem: { waited: 30 * second, search: { languages: ['fr'] } },
      dan: { waited: second, search: { languages: ['tr', 'de-AT'] } },
    };
    expect(chosen({ search: { languages: ['de', 'fr'], preferLanguages: true } }, others)).toBe('dan');
    expect(chosen({ search: { languages: ['fr', 'de'], preferLanguages: true } }, others)).toBe('cem');
    expect(chosen({ search: { languages: ['es'], preferLanguages: true } }, others)).toBe('ben');
    expect(chosen({ search: { languages: [], preferLanguages: true } }, others)).toBe('ben');
  });

  test('RQ-2 the preference is off by default: time alone counts', () => {
    const others = { ben: { waited: 20 * second }, cem: { waited: second, search: { languages: ['de'] } } };
    expect(chosen({ search: { languages: ['de'] } }, others)).toBe('ben');
  });

  test('RQ-2 who is held for a language is not given to anybody else until then, from either side', () => {
    const held: AboutTicket = { heldMs: 5 * second, search: { languages: ['de'], preferLanguages: true } };
    const french: AboutTicket = { search: { languages: ['fr'] } };
    expect(isPair(held, french)).toBe(false);
    expect(isPair(held, {})).toBe(false);
    expect(isPair(held, { search: { languages: ['de-CH'] } })).toBe(true);
    expect(isPair(held, french, later(5 * second - 1))).toBe(false);
    expect(isPair(held, french, later(5 * second))).toBe(true);
  });
});

describe('Who is taken first', () => {
  test('RQ-1 whoever has waited longest', () => {
    expect(chosen({}, { ben: { waited: 3 }, cem: { waited: 5 }, dan: { waited: 4 } })).toBe('cem');
    expect(chosen({}, { ben: { waited: 30 * second }, cem: { waited: 31 * second } })).toBe('cem');
  });

  test('RQ-1 of two who came at the same moment always the same one', () => {
    expect(chosen({}, { cem: { waited: 5 }, ben: { waited: 5 } })).toBe('ben');
  });

  test('RD-3 who was put at the front goes before everybody else', () => {
    expect(chosen({}, { ben: { waited: minute }, cem: { front: true }, dan: { plan: 'premium' } })).toBe('cem');
    expect(chosen({}, { ben: { front: true }, cem: { front: true, waited: 1 } })).toBe('cem');
  });

  test('RQ-2 of those who waited equally long, to the second, whoever shares more interests', () => {
    const mine = { search: { interests: ['Chess', 'go', 'Tea'] } };
    const others: Record<string, AboutTicket> = {
      ben: { waited: 2900, search: { interests: ['tea', 'TEA'] } },
      cem: { waited: 2100, search: { interests: ['chess', 'Go', 'coffee'] } },
      dan: { waited: 1999, search: { interests: ['chess', 'go', 'tea'] } },
    };
    expect(chosen(mine, others)).toBe('cem');
    expect(chosen({}, others)).toBe('ben');
  });

  test('RQ-2 then whoever is of the same region, then whoever waited longer by less than a second', () => {
    const here: AboutTicket = { waited: 2100, search: { region: 'TR' } };
    const elsewhere: AboutTicket = { waited: 2900, search: { region: 'DE' } };
    expect(chosen({ search: { region: 'TR' } }, { ben: elsewhere, cem: here })).toBe('cem');
    expect(chosen({ search: { region: 'FR' } }, { ben: elsewhere, cem: here })).toBe('ben');
    expect(chosen({}, { ben: { waited: 2100 }, cem: { waited: 2900 } })).toBe('cem');
    const alike = { search: { region: 'DE', interests: ['tea'] } };
    expect(
      chosen({ search: { region: 'TR', interests: ['tea'] } }, { ben: { ...alike, waited: 2500 }, cem: here }),
    ).toBe('ben');
  });

  test('RQ-6 premium goes first among those who waited less than 10 s', () => {
    expect(chosen({}, { ben: { waited: 7 * second }, cem: { waited: 4 * second, plan: 'premium' } })).toBe('cem');
    expect(chosen({}, { ben: { waited: 700 }, cem: { waited: 400, plan: 'premium' } })).toBe('cem');
    expect(chosen({}, { ben: { waited: 7 * second }, cem: { waited: 4 * second } })).toBe('ben');
  });

  test('RQ-6 nobody is passed over by somebody who waited less than half as long', () => {
    expect(chosen({}, { ben: { waited: 8000 }, cem: { waited: 3999, plan: 'premium' } })).toBe('ben');
    expect(chosen({}, { ben: { waited: 8000 }, cem: { waited: 4000, plan: 'premium' } })).toBe('ben');
    expect(chosen({}, { ben: { waited: 8000 }, cem: { waited: 4001, plan: 'premium' } })).toBe('cem');
  });

  test('RQ-6 from 10 s on time alone counts', () => {
    const premium = (waited: number): AboutTicket => ({ waited, plan: 'premium' });
    expect(chosen({}, { ben: { waited: 10_001 }, cem: premium(9999) })).toBe('ben');
    expect(chosen({}, { ben: { waited: 10_000 }, cem: premium(9999) })).toBe('ben');
    expect(chosen({}, { ben: { waited: 30_000 }, cem: premium(29_999) })).toBe('ben');
    expect(chosen({}, { ben: { waited: 9999 }, cem: premium(5000) })).toBe('cem');
  });

  test('RQ-6 a clock that runs behind makes nobody wait a negative time', () => {
    expect(chosen({}, { ben: { waited: -2000, plan: 'premium' }, cem: { waited: -1000 } })).toBe('cem');
  });
});

describe('The same pair again', () => {
  const both = (waited: number, ago = second): [AboutTicket, AboutTicket] => [
    { waited, history: met(ago, 'ben') },
    { waited, history: met(ago, 'ann') },
  ];

  test('RQ-4 not within 10 minutes while anybody else waits', () => {
    const [me, ben] = both(minute);
    expect(chosen(me, { ben, cem: {} })).toBe('cem');
    expect(chosen(me, { ben })).toBe('ben');
  });

  test('RQ-4 either of both may remember it', () => {
    expect(chosen({}, { ben: { waited: minute, history: met(0, 'ann') }, cem: {} })).toBe('cem');
    expect(chosen({ history: met(0, 'ben') }, { ben: { waited: minute }, cem: {} })).toBe('cem');
  });

  test('RQ-4 after 10 minutes they are like anybody else', () => {
    const { repeatPairMs } = defaultLimits;
    const [me, ben] = both(second, repeatPairMs);
    expect(chosen(me, { ben, cem: {} })).toBe('ben');
    const [earlier, other] = both(second, repeatPairMs - 1);
    expect(chosen(earlier, { ben: other, cem: {} })).toBe('cem');
  });

  test('RQ-4 RD-6 who waits alone with them meets them again after 5 s, not at once', () => {
    const [me, ben] = both(0);
    expect(chosen(me, { ben }, later(0))).toBeUndefined();
    expect(chosen(me, { ben }, later(5 * second - 1))).toBeUndefined();
    expect(chosen(me, { ben }, later(5 * second))).toBe('ben');
    expect(chosen(me, { ben: { ...ben, waited: minute } }, later(5 * second - 1))).toBeUndefined();
  });

  test('RQ-4 somebody who suits neither of both does not keep them apart', () => {
    const [me, ben] = both(minute);
    const cem: AboutTicket = { blocked: ['ann', 'ben'] };
    expect(chosen(me, { ben, cem })).toBe('ben');
    expect(chosen(me, { ben, cem: { away: 1 } })).toBe('ben');
    expect(chosen(me, { ben, cem: { search: { mode: 'video' } } })).toBe('ben');
  });

  test('RQ-4 somebody who suits the other alone keeps them apart: the other has somebody new to meet', () => {
    const [me, ben] = both(minute);
    expect(chosen(me, { ben, cem: { blocked: ['ann'] } })).toBeUndefined();
  });

  test('RQ-4 of several who were met just now, whoever waited longest', () => {
    const me: AboutTicket = { waited: minute, history: met(second, 'ben', 'cem') };
    const ben: AboutTicket = { waited: 20 * second, history: met(second, 'cem') };
    expect(chosen(me, { ben, cem: { waited: 30 * second } })).toBe('cem');
  });
});
