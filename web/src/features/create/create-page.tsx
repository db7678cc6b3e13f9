import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { describeFailure } from '../../state/failures.ts';
import { newDraft, type RoomDraft, toCreate } from '../../state/room-form.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { FormFailure, PageBar, PageTitle, useTitle } from '../shell/page-parts.tsx';
import { RoomFields } from './room-fields.tsx';
import { useRoomForm } from './use-room-form.ts';

/** Making a room. Whoever has no name yet is asked for one when they send it. */
export const CreatePage = () => {
  const { api, auth, router } = useApp();
  const messages = useMessages();
  const words = messages.roomForm;
  useTitle(words.createTitle);
  const create = async (draft: RoomDraft) => {
    if (!(await auth.require())) return undefined;
    try {
      const room = await api.createRoom(toCreate(draft));
      router.go({ page: 'room', roomId: room.roomId }, { replace: true });
      return undefined;
    } catch (error) {
      const failure = describeFailure(error, messages);
      if (failure.code === 'unauthorized') auth.signOut();
      return failure;
    }
  };
  const form = useRoomForm(() => newDraft(navigator.language.split('-')[0] ?? 'en'), create);
  return (
    <>
      <PageBar />
      <main id="content" class="page page--narrow" tabIndex={-1}>
        <PageTitle>{words.createTitle}</PageTitle>
        <form class="form" noValidate onSubmit={form.submit}>
          <RoomFields draft={form.draft} errors={form.errors} onChange={form.change} />
          <FormFailure text={form.failure} />
          <div class="form__do">
            <LinkButton href="/" variant="quiet" size="large">
              {messages.cancel}
            </LinkButton>
            <Button type="submit" variant="primary" size="large" aria-disabled={form.busy}>
              {words.submitCreate}
            </Button>
          </div>
        </form>
      </main>
    </>
  );
};
