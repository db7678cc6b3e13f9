import type { RandomPhase } from '../../client/call-types.ts';
import type { KeyPress } from '../room/keys.ts';

/** What a key asks for on the page of random calls. */
export type TalkIntent = 'start' | 'toggle-mute' | 'next' | 'toggle-chat' | 'help';

/**
 * Space begins where one can begin, M mutes, Esc goes on to the next person in a call. Esc in a text or in a dialog is the
 * way out of that, and nobody who holds it down skips a row of people.
 */
export const talkIntentOf = (press: KeyPress, phase: RandomPhase['phase']): TalkIntent | undefined => {
  const { modified, dialog, target, repeat, key, code } = press;
  if (modified || dialog || repeat || target === 'text') return undefined;
  const inCall = phase === 'call';
  if (code === 'Space') {
    const canBegin = phase === 'idle' || phase === 'refused' || phase === 'after' || phase === 'out';
    return canBegin && target === 'page' ? 'start' : undefined;
  }
  if (key === '?') return 'help';
  if (!inCall) return undefined;
  if (key === 'Escape') return 'next';
  switch (key.toLowerCase()) {
    case 'm':
      return 'toggle-mute';
    case 'c':
      return 'toggle-chat';
    default:
      return undefined;
  }
};
