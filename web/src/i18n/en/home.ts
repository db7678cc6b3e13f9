import type { Formats } from '../formats.ts';

export const home = (f: Formats) => ({
  title: 'Rooms',
  heading: 'Live now',
  startRoom: 'Start a room',
  talk: 'Talk to someone',
  talkNow: (count: number) => (count === 0 ? 'Be the first' : `${f.number(count)} there now`),
  talkOff: 'Off for now',
  filters: 'Categories',
  all: 'All',
  categories: {
    tech: 'Tech',
    music: 'Music',
    gaming: 'Gaming',
    casual: 'Casual',
    language: 'Languages',
    news: 'News',
    other: 'Other',
  },
  onStage: (names: readonly string[], more: number) => {
    if (names.length === 0) return 'Nobody is on stage yet';
    return more > 0 ? f.list([...names, `${f.number(more)} more`]) : f.list(names);
  },
  moreFaces: (count: number) => `+${f.number(count)}`,
  listening: (count: number) => `${f.number(count)} listening`,
  since: (ms: number) => (ms < 60_000 ? 'Just started' : f.duration(ms)),
  sinceLabel: (ms: number) => (ms < 60_000 ? 'Just started' : `Live for ${f.duration(ms)}`),
  moreRooms: 'More rooms',
  emptyTitle: 'No room is live right now',
  emptyText: 'Start one: people will find it here. Or talk to someone.',
  emptyCategoryTitle: (category: string) => `No room in “${category}” is live right now`,
  emptyCategoryText: 'Look at all rooms, or start this one yourself.',
  showAll: 'Show all rooms',
  failedTitle: 'The rooms could not be loaded',
  stale: 'This list may be out of date.',
  loading: 'Loading rooms',
});
