/** RE-5: entries of evidence that a report keeps, of the chat or the log: the first ones and the latest ones, so many of each. */
const mostAtEachEnd = 500;

type Entry = { readonly [key: string]: unknown };
type Evidence = { readonly [key: string]: unknown };

/** The lists that evidence may hold, with the name of their entries' id. */
const lists = [
  ['chat', 'messageId'],
  ['moderation', 'entryId'],
] as const;

/**
 * What an addition to a report makes of its evidence (SF-1): all that was there before stays, and what is new is added. By then
 * chat may be gone from where it came, or pushed out by what was written since.
 */
export const mergedEvidence = (before: string, now: string): string => {
  const [earlier, later] = [evidenceOf(before), evidenceOf(now)];
  const merged = lists.flatMap(([name, idName]) =>
    name in earlier || name in later ? [[name, union(earlier[name], later[name], idName)] as const] : [],
  );
  return JSON.stringify({ ...earlier, ...later, ...Object.fromEntries(merged) });
};

const evidenceOf = (text: string): Evidence => {
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
};

const union = (before: unknown, now: unknown, idName: string): readonly Entry[] => {
  const byId = new Map<unknown, Entry>();
  for (const entry of [...entriesOf(before), ...entriesOf(now)]) byId.set(entry[idName], entry);
  const all = [...byId.values()].toSorted((one, other) => Number(one['at']) - Number(other['at']));
  if (all.length <= 2 * mostAtEachEnd) return all;
  return [...all.slice(0, mostAtEachEnd), ...all.slice(-mostAtEachEnd)];
};

const entriesOf = (list: unknown): readonly Entry[] => (Array.isArray(list) ? list : []);
