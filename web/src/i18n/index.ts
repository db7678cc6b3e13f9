import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { english } from './en/index.ts';
import type { safety } from './en/safety.ts';
import type { talk } from './en/talk.ts';
import { createFormats, type Formats } from './formats.ts';

export type { Formats } from './formats.ts';

/** Every word that people read, in one language. English is the pattern that the other catalogues fill. */
export type Messages = ReturnType<typeof english>;

/** Words that only some pages need, each part loaded with those (WB-7). */
export type TalkMessages = ReturnType<typeof talk>;
export type SafetyMessages = ReturnType<typeof safety>;

/** A language with its words and its way to write numbers, times and names. */
export type Language = {
  readonly formats: Formats;
  readonly messages: Messages;
  talk(): Promise<TalkMessages>;
  safety(): Promise<SafetyMessages>;
};

type Writer<Words> = (formats: Formats) => Words;
type Catalogue = {
  readonly name: string;
  readonly load: () => Promise<Writer<Messages>>;
  readonly talk: () => Promise<Writer<TalkMessages>>;
  readonly safety: () => Promise<Writer<SafetyMessages>>;
};

/**
 * The languages that there are, each named in itself. English is in the first load; the others are files beside it,
 * loaded when they are chosen.
 */
const catalogues = {
  en: {
    name: 'English',
    load: () => Promise.resolve(english),
    talk: async () => (await import('./en/talk.ts')).talk,
    safety: async () => (await import('./en/safety.ts')).safety,
  },
} as const satisfies Record<string, Catalogue>;

export type CatalogueTag = keyof typeof catalogues;

/** The catalogue for what a browser prefers, in its order: `en-GB` is served by `en`. */
export const chooseCatalogue = (preferred: readonly string[]): { tag: CatalogueTag; locale: string } => {
  for (const locale of preferred) {
    const tag = locale.split('-')[0]?.toLowerCase() ?? '';
    if (tag in catalogues) return { tag: tag as CatalogueTag, locale };
  }
  return { tag: 'en', locale: 'en' };
};

export const loadLanguage = async (preferred: readonly string[]): Promise<Language> => {
  const { tag, locale } = chooseCatalogue(preferred);
  const formats = createFormats(locale);
  const write = await catalogues[tag].load();
  return { formats, messages: write(formats), ...partsOf(catalogues[tag], formats) };
};

const partsOf = (catalogue: Catalogue, formats: Formats): Pick<Language, 'talk' | 'safety'> => ({
  talk: async () => (await catalogue.talk())(formats),
  safety: async () => (await catalogue.safety())(formats),
});

/** English without asking: for tests, and until another language is loaded. */
export const createEnglish = (locale = 'en'): Language => {
  const formats = createFormats(locale);
  return { formats, messages: english(formats), ...partsOf(catalogues.en, formats) };
};

export const LanguageContext = createContext<Language>(createEnglish());

export const useLanguage = (): Language => useContext(LanguageContext);
export const useMessages = (): Messages => useLanguage().messages;
