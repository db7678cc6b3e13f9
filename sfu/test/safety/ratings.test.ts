import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { createRatings } from '../../src/safety/ratings.ts';
import { done, hour, Place, refused, start } from './support.ts';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.remove());

const about = (userId: string) => place.records.ratings.about(userId, { since: 0, most: 9 });

describe('ratings', () => {
  it('RD-9 a rating is about the other side, and holds over a restart', async () => {
    const [ana, bob] = [await place.person('Ana'), await place.person('Bob')];
    const { callId } = await place.call(ana, bob);
    const ratings = createRatings(place.parts);
    expect(await ratings.rate({ byId: bob.userId, callId, rating: 5, comment: null })).toEqual(done({ signal: false }));
    expect(await ratings.rate({ byId: ana.userId, callId, rating: 3, comment: 'Fine.\nThanks' })).toEqual(
      done({ signal: false }),
    );
    await place.restart();
    const ofBob = { callId, byId: ana.userId, aboutId: bob.userId, rating: 3, comment: 'Fine.\nThanks', at: start };
    expect(await about(bob.userId)).toEqual([ofBob]);
    const ofAna = { callId, byId: bob.userId, aboutId: ana.userId, rating: 5, comment: null, at: start };
    expect(await about(ana.userId)).toEqual([ofAna]);
  });

  it('RD-9 a later rating takes the place of an earlier one', async () => {
    const [ana, bob] = [await place.person('Ana'), await place.person('Bob')];
    const { callId } = await place.call(ana, bob);
    const ratings = createRatings(place.parts);
    await ratings.rate({ byId: ana.userId, callId, rating: 1, comment: 'Bad.' });
    place.clock.at += hour;
    await ratings.rate({ byId: ana.userId, callId, rating: 4, comment: null });
    expect(await about(bob.userId)).toMatchObject([{ rating: 4, comment: null, at: start + hour }]);
  });

  it('RD-9 a rating of 2 or less is a signal for safety, and no other', async () => {
    const [ana, bob] = [await place.person('Ana'), await place.person('Bob')];
    const { callId } = await place.call(ana, bob);
    const ratings = createRatings(place.parts);
    const signals = new Map<number, unknown>();
    for (const rating of [1, 2, 3, 4, 5]) {
      const rated = await ratings.rate({ byId: ana.userId, callId, rating, comment: null });
      signals.set(rating, rated.ok && rated.value.signal);
    }
    expect(Object.fromEntries(signals)).toEqual({ 1: true, 2: true, 3: false, 4: false, 5: false });
  });

  it('RD-9 a call is rated from its begin until a day after its end, and not after that', async () => {
    const [ana, bob] = [await place.person('Ana'), await place.person('Bob')];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4 * hour }),
        fc.integer({ min: 0, max: 48 * hour }),
        async (lasts, after) => {
          place.clock.at = start;
          const call = await place.call(ana, bob);
          place.clock.at += lasts;
          await place.end(call);
          place.clock.at += after;
          const rating = { byId: ana.userId, callId: call.callId, rating: 2, comment: null };
          const expected = after <= 24 * hour ? done({ signal: true }) : refused('stale');
          expect(await createRatings(place.parts).rate(rating)).toEqual(expected);
        },
      ),
      {
        numRuns: 30,
        examples: [
          [0, 24 * hour],
          [hour, 24 * hour + 1],
        ],
      },
    );
  });

  it('RD-9 RD-14 nobody rates a call that they were not in, and nobody a call that is not kept', async () => {
    const [ana, bob, eve] = [await place.person('Ana'), await place.person('Bob'), await place.person('Eve')];
    const { callId } = await place.call(ana, bob);
    const ratings = createRatings(place.parts);
    const rating = { rating: 1, comment: null };
    expect(await ratings.rate({ byId: eve.userId, callId, ...rating })).toEqual(refused('stale'));
    expect(await ratings.rate({ byId: ana.userId, callId: newId(), ...rating })).toEqual(refused('stale'));
    expect(await about(bob.userId)).toEqual([]);
    await place.records.calls.deleteBefore({ guestsBefore: start + 1, membersBefore: 0 }, 9);
    expect(await ratings.rate({ byId: ana.userId, callId, ...rating })).toEqual(refused('stale'));
  });
});
