import type { CallSnapshot, RandomPhase } from '../../client/call-types.ts';
import type { Formats, TalkMessages } from '../../i18n/index.ts';
import type { Urgency } from '../notices.ts';
import type { Sound } from '../room/changes.ts';
import { endingOf, noticeWords } from './words.ts';

/** What a change has to be told aloud, and the soft sound that goes with it. */
export type Announcement = { readonly text: string; readonly urgency: Urgency; readonly sound?: Sound };

/** Compares two phases: what is new for somebody who does not see the page, or does not look. */
export const announcementsBetween = (
  before: RandomPhase,
  after: RandomPhase,
  { words, formats }: { readonly words: TalkMessages; readonly formats: Formats },
): Announcement[] => {
  switch (after.phase) {
    case 'queued':
      return queuedWords(before, after, words);
    case 'call':
      return before.phase === 'call' && before.call.sessionId === after.call.sessionId
        ? callChanges(before.call, after.call, words)
        : newCall(after.call, words, formats);
    case 'after':
      return [{ text: words.announce.ended(endingOf(after, words)), urgency: 'assertive' }];
    case 'out':
      return after.reason === 'unavailable'
        ? [{ text: words.unavailable.title, urgency: 'assertive' }]
        : [{ text: words.out[after.reason].title, urgency: 'assertive' }];
    case 'idle':
    case 'starting':
    case 'refused':
      return [];
    default:
      return after satisfies never;
  }
};

const queuedWords = (
  before: RandomPhase,
  { notice }: Extract<RandomPhase, { phase: 'queued' }>,
  words: TalkMessages,
): Announcement[] => {
  const news = before.phase === 'queued' && before.notice === notice ? null : notice;
  if (news !== null) return [{ text: noticeWords(news, words).join(' '), urgency: 'polite' }];
  return before.phase === 'queued' ? [] : [{ text: words.announce.searching, urgency: 'polite' }];
};

const newCall = (
  { phase, partner, languages }: CallSnapshot,
  words: TalkMessages,
  formats: Formats,
): Announcement[] => {
  const { displayName } = partner;
  if (phase !== 'connecting') return [connected(displayName, words)];
  const shared = languages.length > 0 ? ` ${words.call.both(languages.map(formats.language))}` : '';
  return [{ text: `${words.announce.matched(displayName)}${shared}`, urgency: 'polite', sound: 'hand' }];
};

const connected = (name: string, words: TalkMessages): Announcement => ({
  text: words.announce.connected(name),
  urgency: 'polite',
  sound: 'join',
});

const callChanges = (before: CallSnapshot, after: CallSnapshot, words: TalkMessages): Announcement[] => [
  ...phaseChange(before, after, words),
  ...(before.answerUntil === null && after.answerUntil !== null
    ? [{ text: words.idleCheck.title, urgency: 'assertive', sound: 'hand' } as const]
    : []),
  ...extensionChange(before, after, words),
];

const phaseChange = (before: CallSnapshot, after: CallSnapshot, words: TalkMessages): Announcement[] => {
  if (before.phase === after.phase) return [];
  const { displayName } = after.partner;
  switch (after.phase) {
    case 'connected':
      return before.phase === 'reconnecting'
        ? [{ text: words.announce.back, urgency: 'polite' }]
        : [connected(displayName, words)];
    case 'reconnecting': {
      const text = after.partnerAway ? words.announce.partnerAway(displayName) : words.announce.lost;
      return [{ text, urgency: 'polite' }];
    }
    case 'connecting':
      return [];
    default:
      return after.phase satisfies never;
  }
};

const extensionChange = (before: CallSnapshot, after: CallSnapshot, words: TalkMessages): Announcement[] => {
  const [was, is] = [before.extension, after.extension];
  if (was.endsAt !== null && is.endsAt !== null && is.endsAt > was.endsAt)
    return [{ text: words.call.extended, urgency: 'polite' }];
  return !was.partnerAsked && is.partnerAsked
    ? [{ text: words.call.partnerAskedMore(after.partner.displayName), urgency: 'polite', sound: 'hand' }]
    : [];
};
