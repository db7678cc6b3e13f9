/** Where faces stand. A place that somebody left stays free (null) until the next one takes it: nobody else moves. */
export type Places = readonly (string | null)[];

/**
 * Gives those who are present a place each: whoever has one keeps it, newcomers take the free ones from the front, then
 * new ones at the end. Only when more places are free than taken does everybody move up, so that a crowd that left does
 * not leave a desert. Pure; answers the same object when nothing changed.
 */
export const settle = (places: Places, present: readonly string[]): Places => {
  const here = new Set(present);
  const next = places.map((userId) => (userId !== null && here.has(userId) ? userId : null));
  const placed = new Set(next);
  let free = 0;
  for (const userId of present) {
    if (placed.has(userId)) continue;
    while (free < next.length && next[free] !== null) free += 1;
    next[free] = userId;
  }
  while (next.length > 0 && next.at(-1) === null) next.pop();
  const taken = next.filter((userId) => userId !== null);
  const settled = next.length - taken.length > taken.length ? taken : next;
  const same = settled.length === places.length && settled.every((userId, index) => userId === places[index]);
  return same ? places : settled;
};
