import type { ReadonlySignal, Signal } from '@preact/signals';
import type { ChatLine, RandomPhase } from '../../client/call-types.ts';
import type { Formats, TalkMessages } from '../../i18n/index.ts';
import type { Notices } from '../notices.ts';
import type { Sound } from '../room/changes.ts';
import type { Verdict } from './after.ts';
import { announcementsBetween } from './announce.ts';
import type { Chat } from './chat.ts';
import type { About, TalkCommands } from './commands.ts';
import type { TalkSheet } from './sheets.ts';
import type { Start } from './start.ts';

type Followers = {
  readonly words: TalkMessages;
  readonly formats: Formats;
  readonly notices: Notices;
  readonly play: (sound: Sound) => void;
  readonly chat: Chat;
  readonly verdict: Verdict;
  readonly start: Start;
  readonly sheet: Signal<TalkSheet | undefined>;
  readonly about: ReadonlySignal<About | undefined>;
  readonly commands: Pick<TalkCommands, 'dismiss'>;
};

const sessionOf = (phase: RandomPhase): string | undefined =>
  phase.phase === 'call' ? phase.call.sessionId : undefined;

/** Another phase: what begins with it, and what has to be told. */
export const followPhase = (followers: Followers, next: RandomPhase, before: RandomPhase): void => {
  const { notices, play, chat, verdict, start, sheet, commands } = followers;
  const sessionId = sessionOf(next);
  if (next.phase === 'refused') {
    // The choices stand again, with what has to be done first.
    commands.dismiss();
    start.refused(next.error);
  }
  if (sessionId !== undefined && sessionId !== sessionOf(before)) {
    chat.begin();
    verdict.begin(sessionId);
    if (sheet.peek()?.kind === 'block') sheet.value = undefined;
  }
  for (const { text, urgency, sound } of announcementsBetween(before, next, followers)) {
    notices.say(text, urgency);
    if (sound !== undefined) play(sound);
  }
};

export const followMessage = ({ words, notices, play, chat, about }: Followers, line: ChatLine): void => {
  const name = about.peek()?.displayName;
  if (chat.take(line)) play('hand');
  if (!line.mine && name !== undefined) notices.say(words.announce.wrote(name, line.text));
};
