import { sizes } from '@rostrum/shared/limits.ts';
import type { ReportType } from '@rostrum/shared/protocol/call.ts';
import { useState } from 'preact/hooks';
import { type SafetyMessages, useMessages } from '../../i18n/index.ts';
import type { Failure } from '../../state/failures.ts';
import { reportTextError, reportTypes } from '../../state/safety.ts';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/choice.tsx';
import { TextArea } from '../../ui/field.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import { FormFailure } from './page-parts.tsx';

export type ReportSheetProps = {
  readonly name: string;
  /** What goes along with the report as evidence. */
  readonly where: 'call' | 'room';
  /** Sends it, and says `done`; answers the failure. */
  readonly send: (type: ReportType, text: string, done: string) => Promise<Failure | undefined>;
  readonly onClose: () => void;
};

/** SF-1: reports somebody: what is wrong, and what happened. */
export const ReportSheet = (props: ReportSheetProps & { readonly words: SafetyMessages['report'] }) => {
  const { name, where, send, onClose, words } = props;
  const messages = useMessages();
  const [type, setType] = useState<ReportType>();
  const [text, setText] = useState('');
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const textError = reportTextError(text, words);
  const submit = async () => {
    setAsked(true);
    if (type === undefined || textError !== undefined || busy) return;
    setBusy(true);
    const refused = await send(type, text.trim(), words.done(name));
    setBusy(false);
    setFailure(refused?.text);
    if (refused === undefined) onClose();
  };
  return (
    <Sheet title={words.title(name)} onClose={onClose}>
      <form
        class="form form--sheet"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p>{where === 'call' ? words.introCall(name) : words.introRoom(name)}</p>
        <Choice
          label={words.type}
          error={asked && type === undefined ? words.typeMissing : undefined}
          value={type}
          choices={reportTypes.map((value) => ({ value, label: words.types[value] }))}
          onChange={setType}
        />
        <TextArea
          label={words.text}
          hint={words.textHint}
          error={asked || text.length > sizes.reportText ? textError : undefined}
          value={text}
          onInput={setText}
        />
        <FormFailure text={failure} />
        <SheetFoot>
          <Button variant="quiet" onClick={onClose}>
            {messages.cancel}
          </Button>
          <Button type="submit" variant="danger" aria-disabled={busy}>
            {words.submit(name)}
          </Button>
        </SheetFoot>
      </form>
    </Sheet>
  );
};
