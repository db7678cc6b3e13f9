import type { CallSnapshot, PreviewState, RandomPhase, SearchNotice } from '../../client/call-types.ts';
import type { Formats, Messages, TalkMessages } from '../../i18n/index.ts';
import { describeMicrophone } from '../failures.ts';

type After = Extract<RandomPhase, { phase: 'after' }>;
type Queued = Extract<RandomPhase, { phase: 'queued' }>['queued'];

/** Why a call is over, in one sentence. */
export const endingOf = ({ reason, byYou, partner }: After, words: TalkMessages): string => {
  const { after } = words;
  const name = partner.displayName;
  if (byYou && reason === 'blocked') return after.byYouBlocked(name);
  if (byYou && reason === 'left-for-room') return after.leftForRoom;
  if (byYou && (reason === 'hung-up' || reason === 'next')) return after.byYou;
  const { reasons } = after;
  return reason in reasons ? reasons[reason as keyof typeof reasons](name) : reasons.other(name);
};

/** Why one searches again: what happened, what it may be, and what changes now. */
export const noticeWords = (notice: SearchNotice, words: TalkMessages): readonly string[] => {
  const { search } = words;
  if (notice.kind === 'partner-gone') return [search.partnerGone];
  const { failuresInARow, finding, relayFromNow } = notice;
  return [
    failuresInARow > 1 ? search.notConnectedOften(failuresInARow) : search.notConnected,
    ...(search.findings[finding] === '' ? [] : [search.findings[finding]]),
    ...(relayFromNow ? [search.relayFromNow] : []),
  ];
};

const secondsUntil = (until: number, now: number): number => Math.max(0, Math.ceil((until - now) / 1000));

/** A place in line is told once one has waited for this long: before, it only flickers. */
const placeAfterMs = 5000;

/** What helps while one waits: what is held for, what was relaxed, and how many others wait. */
export const searchWords = (
  queued: Queued,
  now: number,
  { words, languages }: { readonly words: TalkMessages; readonly languages: readonly string[] },
): readonly string[] => {
  const { search } = words;
  const { languageUntil, relaxed, position, waiting, since } = queued;
  const hold = languageUntil === null ? 0 : secondsUntil(languageUntil, now);
  return [
    ...(hold > 0 ? [search.hold(languages, hold)] : []),
    ...(relaxed.length > 0 ? [search.relaxed(relaxed.map((filter) => search.filters[filter]))] : []),
    ...(waiting <= 1 ? [search.alone] : []),
    ...(waiting > 2 && now - since >= placeAfterMs ? [search.place(position, waiting)] : []),
  ];
};

/** RD-8: warned at 60 s. */
const warnMs = 60_000;

/** The time that a call has left, where it has an end and that is near or somebody asked for more. */
export type TimeLeft = { readonly text: string; readonly ask: 'ask' | 'agree' | 'asked' };

export const timeLeft = (
  { extension, partner }: Pick<CallSnapshot, 'extension' | 'partner'>,
  now: number,
  { words, formats }: { readonly words: TalkMessages; readonly formats: Formats },
): TimeLeft | undefined => {
  const { endsAt, asked, partnerAsked } = extension;
  if (endsAt === null) return undefined;
  const left = endsAt - now;
  if (left > warnMs && !partnerAsked && !asked) return undefined;
  const ends = words.call.endsIn(formats.stopwatch(Math.max(0, left)));
  if (asked) return { text: `${ends} ${words.call.askedMore(partner.displayName)}`, ask: 'asked' };
  if (partnerAsked) return { text: `${ends} ${words.call.partnerAskedMore(partner.displayName)}`, ask: 'agree' };
  return { text: ends, ask: 'ask' };
};

/** A call that is being looked for: a bar that says so, with the seconds that are left. */
export const lostWords = (call: CallSnapshot, now: number, words: TalkMessages): string | undefined => {
  if (call.phase !== 'reconnecting') return undefined;
  const seconds = call.resumeUntil === null ? 0 : secondsUntil(call.resumeUntil, now);
  return call.partnerAway
    ? words.call.partnerAway(call.partner.displayName, seconds)
    : words.call.reconnecting(seconds);
};

/** What went wrong with a microphone or a camera, and what to do about it. */
export const deviceWords = (
  { device, reason }: Extract<PreviewState, { state: 'failed' }>,
  words: TalkMessages['preview'],
  messages: Messages,
): string => (device === 'camera' ? words.cameraFailures[reason] : describeMicrophone(reason, messages));
