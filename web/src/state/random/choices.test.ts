import { describe, expect, test } from 'vitest';
import { memoryStorage } from '../storage.ts';
import { createTalkChoices, regionOf, searchOf, spokenFrom } from './choices.ts';
import { exampleService } from './examples.ts';

const setUp = (kept?: object, languages = ['de-CH', 'en-GB', 'de']) => {
  const storage = memoryStorage();
  if (kept !== undefined) storage.write('rostrum.talk', JSON.stringify(kept));
  return { storage, store: createTalkChoices({ storage, languages }) };
};

test('RQ-2 languages are those of the browser, by what is spoken, each once and five at most', () => {
  expect(spokenFrom(['de-CH', 'de', 'en-GB', 'x', 'zh-Hant-TW', 'fr', 'es', 'it'])).toEqual([
    'de',
    'en',
    'zh',
    'fr',
    'es',
  ]);
});

test('the region is the one that the browser is set to, where it names one', () => {
  expect(regionOf(['en', 'de-CH', 'en-GB'])).toBe('CH');
  expect(regionOf(['zh-Hant-TW'])).toBe('TW');
  expect(regionOf(['en', 'es-419'])).toBeUndefined();
});

test('RQ-2 the preference for a language is off until it is chosen', () => {
  expect(setUp().store.chosen.value).toMatchObject({ mode: 'voice', languages: ['de', 'en'], preferLanguages: false });
});

test('what was chosen is there at the next visit', () => {
  const { storage, store } = setUp();
  store.change({ mode: 'text', languages: [], interests: ['chess'], preferLanguages: true, hideAddress: true });
  const again = createTalkChoices({ storage, languages: ['en'] }).chosen.value;
  expect(again).toEqual(store.chosen.value);
});

test('what another version of the page kept, and does not fit, is chosen anew', () => {
  const { store } = setUp({
    mode: 'smoke',
    languages: 'en',
    interests: ['fine', 'x'.repeat(25), 7],
    genders: ['female', 'nobody'],
    ageRanges: 'all',
    minReputation: 49,
    gender: 3,
    cameraId: 1,
  });
  expect(store.chosen.value).toMatchObject({
    mode: 'voice',
    languages: ['de', 'en'],
    interests: [],
    genders: ['female'],
    ageRanges: [],
    minReputation: null,
    gender: null,
    cameraId: undefined,
  });
});

describe('the search', () => {
  const chosen = () => {
    const { store } = setUp();
    store.change({
      gender: 'female',
      ageRange: '25-34',
      genders: ['male'],
      ageRanges: ['25-34', '35-44'],
      minReputation: 60,
      hideAddress: true,
      nearby: true,
    });
    return store.chosen.value;
  };

  test('RQ-3 ID-7 filters, and what they need to know, are sent only where the operator offers them', () => {
    expect(searchOf(chosen(), exampleService(), 'CH')).toMatchObject({
      about: { gender: null, ageRange: null },
      filters: { minReputation: null, genders: null, ageRanges: null },
      region: 'CH',
    });
    expect(searchOf(chosen(), exampleService({ filters: ['age', 'reputation'] }), undefined)).toMatchObject({
      about: { gender: null, ageRange: '25-34' },
      filters: { minReputation: 60, genders: null, ageRanges: ['25-34', '35-44'] },
      region: null,
    });
  });

  test('RQ-3 a filter without a choice is no filter', () => {
    const offer = exampleService({ filters: ['age', 'gender', 'reputation'] });
    expect(searchOf(setUp().store.chosen.value, offer, undefined).filters).toEqual({
      minReputation: null,
      genders: null,
      ageRanges: null,
    });
  });

  test('RD-12 an address is hidden only where that is one’s own choice', () => {
    const hidden = (relay: 'none' | 'optional' | 'always') =>
      searchOf(chosen(), exampleService({ relay }), undefined).hideAddress;
    expect([hidden('none'), hidden('optional'), hidden('always')]).toEqual([false, true, false]);
  });
});
