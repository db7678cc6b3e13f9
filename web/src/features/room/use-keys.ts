import { useEffect } from 'preact/hooks';
import { dockOf } from '../../state/room/dock.ts';
import { intentOf, type KeyIntent, targetOf } from '../../state/room/keys.ts';
import type { RoomStore } from '../../state/room/store.ts';

/** M mutes, space talks while it is held, H raises a hand, ? shows the list (WB-3). */
export const useKeys = (room: RoomStore): void => {
  useEffect(() => {
    const talk = createTalk(room);
    const run: Record<Exclude<KeyIntent, 'talk'>, () => void> = {
      'toggle-mute': () => {
        if (room.microphone.peek().kind === 'live' || room.microphone.peek().action === 'unmute')
          room.toggleMicrophone();
      },
      'toggle-hand': () => {
        const { hand } = dockOf(room.view.peek());
        if (hand === 'raise') void room.commands.raiseHand();
        if (hand === 'lower') void room.commands.lowerHand();
      },
      help: () => {
        room.sheet.value = { kind: 'shortcuts' };
      },
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (!room.preferences.shortcuts.peek()) return;
      const target = targetOf(document.activeElement);
      const intent = intentOf({
        key: event.key,
        code: event.code,
        repeat: event.repeat,
        modified: event.ctrlKey || event.altKey || event.metaKey,
        target,
        dialog: document.querySelector('dialog[open], [popover="auto"]:popover-open') !== null,
      });
      if (intent === undefined || (intent === 'talk' && !talk.begin(target === 'microphone'))) return;
      event.preventDefault();
      if (intent !== 'talk') run[intent]();
    };
    const onKeyUp = (event: KeyboardEvent) => {
      // The button of the microphone would take the end of talking for a click.
      if (event.code === 'Space' && talk.end()) event.preventDefault();
    };
    const onBlur = () => void talk.end();
    document.addEventListener('keydown', onKeyDown);
    document.addEventListener('keyup', onKeyUp);
    addEventListener('blur', onBlur);
    return () => {
      talk.end();
      document.removeEventListener('keydown', onKeyDown);
      document.removeEventListener('keyup', onKeyUp);
      removeEventListener('blur', onBlur);
    };
  }, [room]);
};

/** A press of space on the microphone that is shorter than this is a click on it. */
const clickMs = 300;

/**
 * Push-to-talk: unmuted only while the key is down. A window that loses the focus lets go of it. On the microphone's own
 * button a short press unmutes for good, as on any button.
 */
const createTalk = (room: RoomStore) => {
  let talking: { readonly since: number; readonly onButton: boolean } | undefined;
  return {
    /** Whether one talks now. */
    begin: (onButton: boolean): boolean => {
      if (talking !== undefined) return true;
      if (room.microphone.peek().action !== 'unmute') return false;
      talking = { since: performance.now(), onButton };
      void room.commands.setMuted(false);
      return true;
    },
    /** Whether one talked until now. */
    end: (): boolean => {
      if (talking === undefined) return false;
      const { since, onButton } = talking;
      talking = undefined;
      if (!onButton || performance.now() - since >= clickMs) void room.commands.setMuted(true);
      return true;
    },
  };
};
