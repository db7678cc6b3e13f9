import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { sizes } from '@rostrum/shared/limits.ts';
import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { AgeRange, Gender, RandomService, Search } from '@rostrum/shared/protocol/random.ts';
import { readRecord, type Storage } from '../storage.ts';
import { lineFault } from '../words.ts';

const key = 'rostrum.talk';

/** Whom somebody wants to talk to, and how, as they chose it in this browser. */
export type TalkChoices = {
  readonly mode: CallMode;
  /** Spoken languages, the best first. */
  readonly languages: readonly string[];
  readonly preferLanguages: boolean;
  readonly interests: readonly string[];
  /** Prefers people of the region that the browser is set to. */
  readonly nearby: boolean;
  readonly hideAddress: boolean;
  readonly gender: Gender | null;
  readonly ageRange: AgeRange | null;
  /** Whom to meet; empty for anybody. */
  readonly genders: readonly Gender[];
  readonly ageRanges: readonly AgeRange[];
  readonly minReputation: number | null;
  /** The camera that was chosen; undefined for the standard one. */
  readonly cameraId: string | undefined;
};

export type TalkChoicesStore = {
  readonly chosen: ReadonlySignal<TalkChoices>;
  change(change: Partial<TalkChoices>): void;
  dispose(): void;
};

// The schemas that name these bring a validator along: the pages keep the values and take the types.
const known = <Name extends string>(names: Record<Name, true>): readonly Name[] => Object.keys(names) as Name[];
export const modes = known<CallMode>({ voice: true, video: true, text: true });
export const genders = known<Gender>({ female: true, male: true, other: true });
export const ageRanges = known<AgeRange>({ '18-24': true, '25-34': true, '35-44': true, '45-54': true, '55+': true });
/** Steps of the least reputation that one can ask for; everybody starts at 50 (SF-3). */
export const reputations = [40, 50, 60, 70] as const;

type Browser = { readonly storage: Storage; readonly languages: readonly string[] };

/** `de-CH` speaks `de`: matching compares primary subtags. */
const primary = (tag: string): string => tag.split('-')[0]?.toLowerCase() ?? tag;

export const spokenFrom = (preferred: readonly string[]): readonly string[] =>
  [...new Set(preferred.map(primary))].filter((tag) => /^[a-z]{2,8}$/.test(tag)).slice(0, sizes.languages);

/** The region that a browser is set to, by its first language that names one. */
export const regionOf = (preferred: readonly string[]): string | undefined =>
  preferred.map((tag) => /-([A-Z]{2})\b/.exec(tag)?.[1]).find((region) => region !== undefined);

const oneOf = <Value>(value: unknown, values: readonly Value[], otherwise: Value): Value =>
  values.find((one) => one === value) ?? otherwise;
const someOf = <Value>(value: unknown, values: readonly Value[]): readonly Value[] =>
  Array.isArray(value) ? values.filter((one) => value.includes(one)) : [];
const strings = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;

/** What is kept may come from another version of the page: what does not fit is chosen anew. */
const restore = ({ storage, languages }: Browser): TalkChoices => {
  const kept = readRecord(storage, key) ?? {};
  const cameraId = kept['cameraId'];
  return {
    mode: oneOf(kept['mode'], modes, 'voice'),
    languages: spokenFrom(strings(kept['languages']) ?? languages),
    preferLanguages: kept['preferLanguages'] === true,
    interests: (strings(kept['interests']) ?? [])
      .filter((interest) => lineFault(interest, sizes.interest, 1) === undefined)
      .slice(0, sizes.interests),
    nearby: kept['nearby'] === true,
    hideAddress: kept['hideAddress'] === true,
    gender: oneOf<Gender | null>(kept['gender'], genders, null),
    ageRange: oneOf<AgeRange | null>(kept['ageRange'], ageRanges, null),
    genders: someOf(kept['genders'], genders),
    ageRanges: someOf(kept['ageRanges'], ageRanges),
    minReputation: oneOf<number | null>(kept['minReputation'], reputations, null),
    cameraId: typeof cameraId === 'string' ? cameraId : undefined,
  };
};

export const createTalkChoices = (browser: Browser): TalkChoicesStore => {
  const chosen = signal(restore(browser));
  const dispose = effect(() => browser.storage.write(key, JSON.stringify(chosen.value)));
  return {
    chosen,
    change: (change) => {
      chosen.value = { ...chosen.peek(), ...change };
    },
    dispose,
  };
};

type Offer = Pick<RandomService, 'filters' | 'relay'>;

/**
 * The search for these choices. What the operator does not offer is left out, and what a filter would need to know about
 * oneself is told only where there is such a filter (ID-7).
 */
export const searchOf = (choices: TalkChoices, offer: Offer, region: string | undefined): Search => {
  const has = (filter: RandomService['filters'][number]) => offer.filters.includes(filter);
  const any = <Value>(values: readonly Value[]): Value[] | null => (values.length === 0 ? null : [...values]);
  return {
    mode: choices.mode,
    languages: [...choices.languages],
    preferLanguages: choices.preferLanguages,
    interests: [...choices.interests],
    region: choices.nearby ? (region ?? null) : null,
    about: {
      gender: has('gender') ? choices.gender : null,
      ageRange: has('age') ? choices.ageRange : null,
    },
    filters: {
      minReputation: has('reputation') ? choices.minReputation : null,
      genders: has('gender') ? any(choices.genders) : null,
      ageRanges: has('age') ? any(choices.ageRanges) : null,
    },
    hideAddress: offer.relay === 'optional' && choices.hideAddress,
  };
};
