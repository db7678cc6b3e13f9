import { sizes } from '@rostrum/shared/limits.ts';
import { useState } from 'preact/hooks';
import { useMessages } from '../../i18n/index.ts';
import { Button } from '../../ui/button.tsx';
import { Switch, TextField } from '../../ui/field.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import { useRoom } from './room-context.ts';

type SheetProps = { readonly onClose: () => void };

export const MuteAllSheet = ({ onClose }: SheetProps) => {
  const { commands } = useRoom();
  const messages = useMessages();
  const words = messages.acts;
  const [locked, setLocked] = useState(false);
  const [reason, setReason] = useState('');
  const mute = () => {
    onClose();
    void commands.muteAll(locked, reason);
  };
  return (
    <Sheet title={words.muteAllTitle} onClose={onClose}>
      <p>{words.muteAllText}</p>
      <Switch label={words.muteAllLocked} hint={words.muteAllLockedHint} checked={locked} onChange={setLocked} />
      <TextField
        label={words.reason}
        hint={words.reasonHint}
        value={reason}
        onInput={setReason}
        maxLength={sizes.reason}
      />
      <SheetFoot>
        <Button variant="quiet" onClick={onClose}>
          {messages.cancel}
        </Button>
        <Button variant="danger" onClick={mute}>
          {words.muteAllConfirm}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};

export const ClearHandsSheet = ({ onClose }: SheetProps) => {
  const { commands, staff } = useRoom();
  const messages = useMessages();
  const words = messages.room.hands;
  const clear = () => {
    onClose();
    void commands.clearHands();
  };
  return (
    <Sheet title={words.clearTitle} onClose={onClose}>
      <p>{words.clearText(staff.value?.hands.length ?? 0)}</p>
      <SheetFoot>
        <Button variant="quiet" onClick={onClose}>
          {messages.cancel}
        </Button>
        <Button variant="danger" onClick={clear}>
          {words.clearConfirm}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};

export const EndSheet = ({ onClose }: SheetProps) => {
  const { commands, info } = useRoom();
  const messages = useMessages();
  const words = messages.acts;
  const end = () => {
    onClose();
    void commands.end();
  };
  return (
    <Sheet title={words.endTitle(info.value.title)} onClose={onClose} alert>
      <p>{words.endText}</p>
      <SheetFoot>
        <Button variant="quiet" onClick={onClose}>
          {messages.cancel}
        </Button>
        <Button variant="danger" onClick={end}>
          {words.endConfirm}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};
