import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { english } from './en/index.ts';
import { createFormats, type Formats } from './formats.ts';

export type { Formats } from './formats.ts';

/** Every word that people read, in one language. English is the pattern that the other catalogues fill. */
export type Messages = ReturnType<typeof english>;

/** A language with its words and its way to write numbers, times and names. */
export type Language = { readonly formats: Formats; readonly messages: Messages };

type Catalogue = { readonly name: string; readonly load: () => Promise<(formats: Formats) => Messages> };

/**
 * The languages that there are, each named in itself. English is in the first load; the others are files beside it,
 * loaded when they are chosen.
 */
const catalogues = {
  en: { name: 'English', load: () => Promise.resolve(english) },
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
  return { formats, messages: write(formats) };
};

/** English without asking: for tests, and until another language is loaded. */
export const createEnglish = (locale = 'en'): Language => {
  const formats = createFormats(locale);
  return { formats, messages: english(formats) };
};

export const LanguageContext = createContext<Language>(createEnglish());

export const useLanguage = (): Language => useContext(LanguageContext);
export const useMessages = (): Messages => useLanguage().messages;
