import { useMessages } from '../../i18n/index.ts';
import { Button } from '../../ui/button.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import { useRoom, useRoomPlace } from './room-context.ts';

/** A host who leaves hands the room on, or ends it (RM-7): which of the two is asked. */
export const LeaveSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const { leave } = useRoomPlace();
  const room = useRoom();
  const words = useMessages().acts;
  const alone = room.view.value.stage.every(({ userId }) => userId === room.me);
  return (
    <Sheet title={words.leaveHostTitle} onClose={onClose} alert>
      <p>{alone ? words.leaveHostAlone : words.leaveHostText}</p>
      <SheetFoot>
        {!alone && (
          <Button variant="quiet-danger" onClick={() => void room.commands.end()}>
            {words.leaveHostEnd}
          </Button>
        )}
        <Button variant={alone ? 'danger' : 'primary'} onClick={leave}>
          {words.leaveHostConfirm}
        </Button>
      </SheetFoot>
    </Sheet>
  );
};
