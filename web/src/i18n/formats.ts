/** Numbers, times and names of languages, written the way of one locale. */
export type Formats = {
  readonly locale: string;
  number(value: number): string;
  /** A length of time in its largest unit or two: `45 s`, `25 min`, `1 hr 20 min`. */
  duration(ms: number): string;
  /** A running time: `3:07`, `1:02:03`. */
  stopwatch(ms: number): string;
  /** How long ago, from now: `5 minutes ago`. */
  ago(ms: number): string;
  /** The time of day of a moment. */
  clock(timestamp: number): string;
  /** `Ana, Ben and Chi`. */
  list(items: readonly string[]): string;
  /** The name of a language by its BCP 47 tag, the tag itself where it has none. */
  language(tag: string): string;
  /** The name of a country or region by its ISO 3166 code. */
  region(code: string): string;
  /** The plural form of a count. */
  plural(count: number, forms: PluralForms): string;
  /** The form of a place in an order: `1st`, `2nd`. */
  ordinal(place: number, forms: PluralForms): string;
};

export type PluralForms = { readonly other: string } & { readonly [category in Intl.LDMLPluralRule]?: string };

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export const createFormats = (locale: string): Formats => {
  const number = new Intl.NumberFormat(locale);
  const twoDigits = new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
  const list = new Intl.ListFormat(locale, { type: 'conjunction' });
  const languages = new Intl.DisplayNames(locale, { type: 'language', fallback: 'code' });
  const cardinal = new Intl.PluralRules(locale);
  const ordinal = new Intl.PluralRules(locale, { type: 'ordinal' });
  const unit = (value: number, name: 'second' | 'minute' | 'hour') =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);

  return {
    locale,
    number: (value) => number.format(value),
    duration: (ms) => {
      if (ms < minute) return unit(Math.max(0, Math.floor(ms / second)), 'second');
      const hours = Math.floor(ms / hour);
      const minutes = Math.floor((ms % hour) / minute);
      if (hours === 0) return unit(minutes, 'minute');
      return minutes === 0 ? unit(hours, 'hour') : `${unit(hours, 'hour')} ${unit(minutes, 'minute')}`;
    },
    stopwatch: (ms) => {
      const seconds = Math.max(0, Math.floor(ms / second));
      const pair = (value: number) => twoDigits.format(value);
      const rest = [Math.floor(seconds / 60) % 60, seconds % 60];
      const hours = Math.floor(seconds / 3600);
      return hours > 0
        ? [number.format(hours), ...rest.map(pair)].join(':')
        : [number.format(rest[0] ?? 0), pair(rest[1] ?? 0)].join(':');
    },
    ago: (ms) => {
      if (ms < minute) return relative.format(0, 'second');
      if (ms < hour) return relative.format(-Math.floor(ms / minute), 'minute');
      return relative.format(-Math.floor(ms / hour), 'hour');
    },
    clock: (timestamp) => clock.format(timestamp),
    list: (items) => list.format(items),
    language: (tag) => {
      try {
        return languages.of(tag) ?? tag;
      } catch {
        return tag; // A tag that Intl finds malformed is shown as it was written.
      }
    },
    region: (code) => new Intl.DisplayNames(locale, { type: 'region' }).of(code) ?? code,
    plural: (count, forms) => forms[cardinal.select(count)] ?? forms.other,
    ordinal: (place, forms) => forms[ordinal.select(place)] ?? forms.other,
  };
};
