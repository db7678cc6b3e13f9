import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import { createAudiencePages } from './audience.ts';
import { examplePerson } from './examples.ts';

const { messages } = createEnglish();
const stage = Array.from({ length: 30 }, (_, index) => examplePerson(`S${index}`, 'speaker'));
const everybody = [...stage, ...Array.from({ length: 100 }, (_, index) => examplePerson(`P${index}`, 'listener'))];

const setUp = () => {
  const asked: unknown[] = [];
  const learned: string[] = [];
  const pages = createAudiencePages({
    roomId: 'room',
    messages: () => messages,
    learn: (people) => learned.push(...people.map(({ displayName }) => displayName)),
    api: {
      listParticipants: async (_, page = {}) => {
        asked.push(page);
        const found = everybody
          .filter(({ role }) => page.role === undefined || role === page.role)
          .filter(({ displayName }) => displayName.includes(page.query ?? ''));
        const { page: number = 1, limit = 20 } = page;
        return { participants: found.slice((number - 1) * limit, number * limit), total: found.length, page: number };
      },
    },
  });
  return { pages, asked, learned };
};

describe('RM-10 a large audience', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('RM-10 comes in pages, each listener once, and the stage not at all', async () => {
    const { pages, asked, learned } = setUp();
    await pages.refresh();
    expect(pages.people.value).toHaveLength(20);
    await pages.more();
    expect(pages.people.value).toHaveLength(40);
    for (let page = 3; page <= 5; page += 1) await pages.more();
    expect(pages.people.value).toHaveLength(100);
    expect(pages.hasMore.value).toBe(false);
    await pages.more();
    expect(asked).toEqual([1, 2, 3, 4, 5].map((page) => ({ page, limit: 20, role: 'listener' })));
    expect(learned).toHaveLength(100);
  });

  test('RM-10 is searched once nothing was typed for a moment', async () => {
    const { pages, asked } = setUp();
    pages.search('P');
    pages.search('P4');
    await vi.runAllTimersAsync();
    expect(asked).toEqual([{ page: 1, limit: 20, role: 'listener', query: 'P4' }]);
    expect(pages.people.value).toHaveLength(11);
  });

  test('asks again for as many as are shown', async () => {
    const { pages, asked } = setUp();
    await pages.refresh();
    await pages.more();
    await pages.refresh();
    expect(asked.at(-1)).toEqual({ page: 1, limit: 40, role: 'listener' });
    expect(pages.people.value).toHaveLength(40);
    await pages.more();
    expect(pages.people.value).toHaveLength(60);
  });
});
