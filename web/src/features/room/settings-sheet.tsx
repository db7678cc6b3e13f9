import { useMessages } from '../../i18n/index.ts';
import { draftOf, type RoomDraft, toChanges } from '../../state/room-form.ts';
import { Button } from '../../ui/button.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import { RoomFields } from '../create/room-fields.tsx';
import { useRoomForm } from '../create/use-room-form.ts';
import { FormFailure } from '../shell/page-parts.tsx';
import { useRoom } from './room-context.ts';

/** RM-8: the host changes the room while it is live. */
export const SettingsSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const { info, commands } = useRoom();
  const messages = useMessages();
  const words = messages.roomForm;
  const save = async (draft: RoomDraft) => {
    const changes = toChanges(info.peek(), draft);
    const failure = Object.keys(changes).length === 0 ? undefined : await commands.update(changes);
    if (failure === undefined) onClose();
    return failure;
  };
  const form = useRoomForm(() => draftOf(info.peek()), save);
  return (
    <Sheet title={words.settingsTitle} onClose={onClose} broad>
      <form class="form form--sheet" noValidate onSubmit={form.submit}>
        <p class="sheet__intro">{words.settingsIntro}</p>
        <RoomFields draft={form.draft} errors={form.errors} fixedQuality onChange={form.change} />
        <FormFailure text={form.failure} />
        <SheetFoot>
          <Button variant="quiet" onClick={onClose}>
            {messages.cancel}
          </Button>
          <Button type="submit" variant="primary" aria-disabled={form.busy}>
            {words.submitSave}
          </Button>
        </SheetFoot>
      </form>
    </Sheet>
  );
};
