import { useEffect } from 'preact/hooks';
import { type TalkIntent, talkIntentOf } from '../../state/random/keys.ts';
import type { TalkStore } from '../../state/random/store.ts';
import { targetOf } from '../../state/room/keys.ts';

/** Space begins, M mutes, Esc goes on to the next person, C opens the chat, ? shows the list. */
export const useTalkKeys = (talk: TalkStore): void => {
  useEffect(() => {
    const run: Record<TalkIntent, () => void> = {
      start: () => void talk.start.begin(),
      'toggle-mute': talk.commands.toggleMute,
      next: () => void talk.commands.next(),
      'toggle-chat': talk.chat.toggle,
      help: () => {
        talk.sheet.value = { kind: 'shortcuts' };
      },
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (!talk.preferences.shortcuts.peek()) return;
      const press = {
        key: event.key,
        code: event.code,
        repeat: event.repeat,
        modified: event.ctrlKey || event.altKey || event.metaKey,
        target: targetOf(document.activeElement),
        // What Esc would close first: a dialog, a menu, a tooltip.
        dialog: document.querySelector('dialog[open], [popover="auto"]:popover-open, .tooltip:popover-open') !== null,
      };
      const intent = talkIntentOf(press, talk.phase.peek().phase);
      if (intent === undefined) return;
      event.preventDefault();
      run[intent]();
    };
    // Before anybody who closes something at the same key.
    document.addEventListener('keydown', onKeyDown, true);
    return () => document.removeEventListener('keydown', onKeyDown, true);
  }, [talk]);
};
