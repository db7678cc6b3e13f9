import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import type { About } from '../../state/random/commands.ts';
import { Button } from '../../ui/button.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import { useNow, useTalk, useTalkWords } from './talk-context.ts';

type SheetProps = { readonly onClose: () => void };

/** ID-8: asked once; the server remembers the answer. */
export const AgeSheet = ({ onClose }: SheetProps) => {
  const { start, service } = useTalk();
  const { notices } = useApp();
  const words = useTalkWords().age;
  const years = service.value?.minimumAge;
  if (years === undefined) return null;
  const refuse = () => {
    onClose();
    notices.show({ text: words.refused(years), tone: 'neutral' });
  };
  return (
    <Sheet title={words.title(years)} onClose={onClose} alert>
      <p>{words.text(years)}</p>
      <SheetFoot>
        <Button variant="quiet" onClick={refuse}>
          {words.no}
        </Button>
        <Button variant="primary" onClick={() => void start.confirmAge()}>
          {words.yes(years)}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};

/** Whoever listens to a room in another window leaves it first. */
export const LeaveRoomSheet = ({ onClose }: SheetProps) => {
  const { start } = useTalk();
  const messages = useMessages();
  const words = useTalkWords().leaveRoom;
  const leave = () => {
    onClose();
    void start.begin({ leaveRoom: true });
  };
  return (
    <Sheet title={words.title} onClose={onClose} alert>
      <p>{words.text}</p>
      <SheetFoot>
        <Button variant="quiet" onClick={onClose}>
          {messages.cancel}
        </Button>
        <Button variant="primary" onClick={leave}>
          {words.confirm}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};

/** A block during a call ends it, which cannot be taken back: so it is asked first. */
export const BlockSheet = ({ about, onClose }: SheetProps & { readonly about: About }) => {
  const { commands } = useTalk();
  const messages = useMessages();
  const words = useTalkWords().block;
  const block = () => {
    onClose();
    void commands.block(about);
  };
  return (
    <Sheet title={words.title(about.displayName)} onClose={onClose} alert>
      <p>{words.text}</p>
      <SheetFoot>
        <Button variant="quiet" onClick={onClose}>
          {messages.cancel}
        </Button>
        <Button variant="danger" onClick={block}>
          {words.confirm(about.displayName)}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};

/** RD-7: whoever closes it is there, too. */
export const IdleSheet = ({ until }: { readonly until: number }) => {
  const { commands } = useTalk();
  const now = useNow();
  const words = useTalkWords().idleCheck;
  const here = () => void commands.stillHere();
  return (
    <Sheet title={words.title} onClose={here} alert>
      <p>{words.text}</p>
      {/* A timer is not read out every second: the dialog itself says what it is about. */}
      <p class="countdown" role="timer" aria-live="off">
        {words.seconds(Math.max(0, Math.ceil((until - now) / 1000)))}
      </p>
      <SheetFoot>
        <Button variant="primary" size="large" wide onClick={here}>
          {words.here}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};
