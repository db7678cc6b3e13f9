import type { RoomInfo } from '@rostrum/shared/protocol/room.ts';

export type Category = RoomInfo['category'];
export type AudioQuality = RoomInfo['audioQuality'];

/**
 * The schemas that name these bring a validator of 5 kB along, so the pages keep the values and take the types: one that
 * is missing here does not compile.
 */
const categoryOrder: Record<Category, number> = {
  casual: 0,
  tech: 1,
  music: 2,
  gaming: 3,
  language: 4,
  news: 5,
  other: 6,
};
const qualityOrder: Record<AudioQuality, number> = { low: 0, medium: 1, high: 2, music: 3 };

const inOrder = <Name extends string>(order: Record<Name, number>): readonly Name[] =>
  (Object.keys(order) as Name[]).sort((a, b) => order[a] - order[b]);

export const categories = inOrder(categoryOrder);
export const audioQualities = inOrder(qualityOrder);

/** Languages that a room can be held in: those most spoken and most used online; what a browser prefers comes first. */
const languageTags = [
  'en',
  'es',
  'vi',
  'zh',
  'hi',
  'ar',
  'fr',
  'bn',
  'pt',
  'ru',
  'ur',
  'id',
  'de',
  'ja',
  'sw',
  'mr',
  'te',
  'tr',
  'ta',
  'ko',
  'it',
  'th',
  'gu',
  'fa',
  'pl',
  'uk',
  'nl',
  'ro',
  'el',
  'cs',
  'sv',
  'hu',
  'he',
  'fi',
  'da',
  'no',
  'ms',
  'fil',
  'ca',
  'sr',
];

/** The languages to choose from, with the preferred ones and the present one among them, named and in order. */
export const languageChoices = (preferred: readonly string[], present: string, nameOf: (tag: string) => string) => {
  const bare = preferred.map((tag) => tag.split('-')[0]?.toLowerCase() ?? tag);
  const first = [...new Set([present, ...bare])].filter((tag) => tag !== '');
  const others = languageTags.filter((tag) => !first.includes(tag));
  const named = (tag: string) => ({ value: tag, label: nameOf(tag) });
  return [...first.map(named), ...others.map(named).sort((a, b) => a.label.localeCompare(b.label))];
};
