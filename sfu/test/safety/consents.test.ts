import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConsents } from '../../src/people/consents.ts';
import { newId } from '../../src/runtime/ids.ts';
import { done, Place, refused } from './support.ts';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.remove());

describe('consents', () => {
  it('ID-8 nobody calls who has not accepted the rules, or not confirmed the age; the answers hold over a restart', async () => {
    const { userId } = await place.person('Ana');
    const before = createConsents(place.parts);
    expect(await before.of(userId)).toEqual({ houseRules: false, minimumAge: null });
    expect(await before.mayCall(userId)).toEqual(refused('rules_not_accepted'));
    expect(await before.give(userId, { houseRules: true })).toEqual(done({ houseRules: true, minimumAge: null }));
    expect(await before.mayCall(userId)).toEqual(refused('age_not_confirmed'));
    await place.restart();
    const after = createConsents(place.parts);
    expect(await after.mayCall(userId)).toEqual(refused('age_not_confirmed'));
    expect(await after.give(userId, { minimumAge: 18 })).toEqual(done({ houseRules: true, minimumAge: 18 }));
    expect(await after.mayCall(userId)).toEqual(done());
    await place.restart();
    expect(await createConsents(place.parts).mayCall(userId)).toEqual(done());
  });

  it('ID-8 an age below that of the operator is none, and one above it will do', async () => {
    const { userId } = await place.person('Ana');
    const consents = createConsents(place.parts);
    await consents.give(userId, { houseRules: true, minimumAge: 17 });
    expect(await consents.mayCall(userId)).toEqual(refused('age_not_confirmed'));
    expect(await createConsents({ ...place.parts, limits: { minimumAge: 16 } }).mayCall(userId)).toEqual(done());
    await consents.give(userId, { minimumAge: 30 });
    expect(await createConsents({ ...place.parts, limits: { minimumAge: 30 } }).mayCall(userId)).toEqual(done());
    expect(await createConsents({ ...place.parts, limits: { minimumAge: 31 } }).mayCall(userId)).toEqual(
      refused('age_not_confirmed'),
    );
  });

  it('ID-8 takes nothing back', async () => {
    const { userId } = await place.person('Ana');
    const consents = createConsents(place.parts);
    const all = done({ houseRules: true, minimumAge: 21 });
    expect(await consents.give(userId, { houseRules: true, minimumAge: 21 })).toEqual(all);
    expect(await consents.give(userId, {})).toEqual(all);
    expect(await consents.give(userId, { minimumAge: 18 })).toEqual(all);
  });

  it('ID-6 ID-8 keeps nothing of somebody whose account is gone', async () => {
    const consents = createConsents(place.parts);
    const { userId } = await place.person('Ana');
    await consents.give(userId, { houseRules: true, minimumAge: 18 });
    await place.records.users.deleteGuestsUnseenSince(place.clock.at + 1, 9);
    expect(await consents.mayCall(userId)).toEqual(refused('rules_not_accepted'));
    expect(await consents.give(userId, { houseRules: true })).toEqual(refused('unauthorized'));
    expect(await consents.give(newId(), { minimumAge: 18 })).toEqual(refused('unauthorized'));
  });
});
