/**
 * How many letters may differ. A short name is too near to others' (HOST and HOME), so it is left alone; a long one may have
 * two mistakes. `SSL_CERT_FILE`, which OpenSSL reads, is three away from `TLS_CERT_FILE`.
 */
const mistakes = (name: string): number => {
  if (name.length < 7) return 0;
  return name.length < 12 ? 1 : 2;
};

/** The known name that was meant, if one is a mistake or two away (or differs by case alone). */
export const meantBy = (name: string, known: readonly string[]): string | undefined => {
  const upper = name.toUpperCase();
  return known.find((candidate) => candidate.length >= 7 && distance(upper, candidate) <= mistakes(candidate));
};

/** Letters to add, to drop or to replace (Levenshtein). */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [column, wanted] of [...other].entries()) {
      const replaced = (row[column] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
};
