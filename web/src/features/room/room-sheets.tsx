import { useComputed } from '@preact/signals';
import { lazily } from '../../ui/lazy.tsx';
import { AboutSheet } from './about-sheet.tsx';
import { InvitationSheet } from './invitation-sheet.tsx';
import { LeaveSheet } from './leave-sheet.tsx';
import { PersonSheet } from './person-sheet.tsx';
import { useRoom } from './room-context.ts';
import { ShortcutsSheet } from './shortcuts-sheet.tsx';

// What only those on the stage or those who run the room need is not in the first load (WB-7).
const MicrophoneSheet = lazily(async () => (await import('./microphone-sheet.tsx')).MicrophoneSheet);
const SettingsSheet = lazily(async () => (await import('./settings-sheet.tsx')).SettingsSheet);
const LogSheet = lazily(async () => (await import('./log-sheet.tsx')).LogSheet);
const MuteAllSheet = lazily(async () => (await import('./staff-sheets.tsx')).MuteAllSheet);
const ClearHandsSheet = lazily(async () => (await import('./staff-sheets.tsx')).ClearHandsSheet);
const EndSheet = lazily(async () => (await import('./staff-sheets.tsx')).EndSheet);

/** What lies over the room. An invitation to speak goes before everything else: it waits for 30 s only. */
export const RoomSheets = () => {
  const room = useRoom();
  const invitation = useComputed(() => room.self.value.invitation).value;
  const sheet = room.sheet.value;
  const close = () => {
    room.sheet.value = undefined;
  };
  if (invitation !== null) return <InvitationSheet key={invitation.until} invitation={invitation} />;
  switch (sheet?.kind) {
    case undefined:
      return null;
    case 'person':
      return <PersonSheet key={sheet.userId} userId={sheet.userId} onClose={close} />;
    case 'about':
      return <AboutSheet onClose={close} />;
    case 'leave':
      return <LeaveSheet onClose={close} />;
    case 'shortcuts':
      return <ShortcutsSheet onClose={close} />;
    case 'microphone':
      return <MicrophoneSheet onClose={close} />;
    case 'settings':
      return <SettingsSheet onClose={close} />;
    case 'log':
      return <LogSheet onClose={close} />;
    case 'mute-all':
      return <MuteAllSheet onClose={close} />;
    case 'clear-hands':
      return <ClearHandsSheet onClose={close} />;
    case 'end':
      return <EndSheet onClose={close} />;
    default:
      return sheet satisfies never;
  }
};
