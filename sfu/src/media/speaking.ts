/** How loud somebody must be to start and to go on speaking, and how long a pause may be (MD-4). */
export type SpeakingRule = {
  /** dBov (RFC 6464), 0 is the loudest and -127 silence. */
  readonly onDbov: number;
  readonly offDbov: number;
  readonly holdMs: number;
};

/** Who speaks, and when each was last loud enough, in milliseconds of any clock. */
export type Speaking = ReadonlyMap<string, number>;

/**
 * Who speaks after one more measurement. Pure. A person starts at `onDbov`; they go on as long as they reach `offDbov`
 * at least once in `holdMs`. So a level around one threshold does not flicker, nor does a pause between words.
 * `levels` holds whoever was heard at all, in dBov.
 */
export const nextSpeaking = (
  before: Speaking,
  levels: ReadonlyMap<string, number>,
  now: number,
  rule: SpeakingRule,
): Speaking => {
  const next = new Map<string, number>();
  for (const [userId, heardAt] of before) {
    if (now - heardAt < rule.holdMs) next.set(userId, heardAt);
  }
  for (const [userId, level] of levels) {
    if (level >= (before.has(userId) ? rule.offDbov : rule.onDbov)) next.set(userId, now);
  }
  return next;
};
