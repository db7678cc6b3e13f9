import { useState } from 'preact/hooks';
import { useMessages } from '../../i18n/index.ts';
import type { Failure } from '../../state/failures.ts';
import { checkDraft, fieldOf, type RoomDraft, type RoomFormErrors } from '../../state/room-form.ts';

export type RoomForm = {
  readonly draft: RoomDraft;
  readonly errors: RoomFormErrors;
  /** What went wrong with the whole of it. */
  readonly failure: string | undefined;
  readonly busy: boolean;
  change(change: Partial<RoomDraft>): void;
  /** Checks the fields and sends them; a refusal goes to the field that it names. */
  submit(event: Event): void;
};

/** The form of a room: what is written in it, what is wrong with it, and sending it. */
export const useRoomForm = (
  initial: () => RoomDraft,
  send: (draft: RoomDraft) => Promise<Failure | undefined>,
): RoomForm => {
  const messages = useMessages();
  const [draft, setDraft] = useState(initial);
  const [errors, setErrors] = useState<RoomFormErrors>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const place = (refused: Failure | undefined) => {
    const field = refused?.path === undefined ? undefined : fieldOf(refused.path);
    if (field === undefined) setFailure(refused?.text);
    else setErrors({ [field]: messages.roomForm.errors.refused });
  };
  const run = async () => {
    const found = checkDraft(draft, messages);
    setErrors(found);
    setFailure(undefined);
    if (busy || Object.keys(found).length > 0) return;
    setBusy(true);
    place(await send(draft));
    setBusy(false);
  };
  return {
    draft,
    errors,
    failure,
    busy,
    change: (change) => {
      setDraft({ ...draft, ...change });
      const untouched = Object.entries(errors).filter(([field]) => !(field in change));
      setErrors(Object.fromEntries(untouched));
    },
    submit: (event) => {
      event.preventDefault();
      const form = event.currentTarget;
      // After the errors are drawn, the first field at fault takes the focus.
      void run().then(() => {
        if (form instanceof HTMLElement) form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
      });
    },
  };
};
