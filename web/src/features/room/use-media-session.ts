import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useMessages } from '../../i18n/index.ts';
import type { RoomStore } from '../../state/room/store.ts';

/** Names of the actions that not every browser knows; one that is not known throws. */
type Action = 'hangup' | 'togglemicrophone' | 'stop';

const handle = (action: Action, handler: (() => void) | null): void => {
  try {
    navigator.mediaSession.setActionHandler(action as MediaSessionAction, handler);
  } catch {
    // The lock screen then has no such control.
  }
};

/** What the lock screen and the headset's buttons show and do (WB-6). */
export const useMediaSession = (room: RoomStore, leave: () => void): void => {
  const messages = useMessages();
  const has = 'mediaSession' in navigator;
  useSignalEffect(() => {
    const { title } = room.info.value;
    if (!has) return;
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist: messages.appName });
    navigator.mediaSession.playbackState = 'playing';
  });
  useSignalEffect(() => {
    const live = room.microphone.value.kind === 'live';
    if (has && 'setMicrophoneActive' in navigator.mediaSession) void navigator.mediaSession.setMicrophoneActive(live);
  });
  useEffect(() => {
    if (!has) return undefined;
    handle('togglemicrophone', () => room.toggleMicrophone());
    handle('hangup', leave);
    handle('stop', leave);
    return () => {
      for (const action of ['togglemicrophone', 'hangup', 'stop'] as const) handle(action, null);
      navigator.mediaSession.metadata = null;
      navigator.mediaSession.playbackState = 'none';
    };
  }, [room, leave, has]);
};
