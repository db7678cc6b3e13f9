import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { useMessages } from '../../i18n/index.ts';
import { Button } from '../../ui/button.tsx';
import { MicrophoneIcon } from '../../ui/icons.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import { useRoom } from './room-context.ts';

type InvitationSheetProps = { readonly invitation: NonNullable<RoomView['self']['invitation']> };

/** Somebody wants to hear this person, who has 30 s to answer (HD-2). Closing it is an answer too. */
export const InvitationSheet = ({ invitation }: InvitationSheetProps) => {
  const { commands, clock } = useRoom();
  const words = useMessages().room.invitation;
  const left = Math.max(0, Math.ceil((invitation.until - clock.everySecond.value) / 1000));
  const answer = (accept: boolean) => () => void commands.answerInvitation(accept);
  return (
    <Sheet title={words.title(invitation.byName)} onClose={answer(false)} alert>
      <p>{words.text}</p>
      {/* A timer is not read out every second: the dialog itself says what it is about. */}
      <p class="countdown" role="timer" aria-live="off">
        {words.seconds(left)}
      </p>
      <SheetFoot>
        <Button variant="neutral" onClick={answer(false)}>
          {words.decline}
        </Button>
        <Button variant="primary" icon={MicrophoneIcon} onClick={answer(true)}>
          {words.accept}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};
