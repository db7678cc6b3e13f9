import { sizes } from '@rostrum/shared/limits.ts';
import { useState } from 'preact/hooks';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { displayNameFault } from '../../state/auth.ts';
import { describeFailure } from '../../state/failures.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Sheet } from '../../ui/sheet.tsx';
import { FormFailure } from './page-parts.tsx';
import { LazyRulesSheet } from './safety-sheets.tsx';

type NameFormProps = {
  readonly label: string;
  readonly hint?: string;
  readonly submit: string;
  /** @throws RostrumErrorShape */
  readonly onName: (name: string) => Promise<void>;
  readonly autofocus?: boolean;
};

/** One field for a name (ID-1), with what is wrong with it beside it. */
export const NameForm = ({ label, hint, submit, onName, autofocus = false }: NameFormProps) => {
  const { messages } = useLanguage();
  const words = messages.signIn;
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const [failure, setFailure] = useState<string>();
  const faults = {
    missing: words.nameMissing,
    'too-long': words.nameTooLong(sizes.displayName),
    unprintable: words.nameInvalid,
  };
  const onSubmit = async () => {
    const fault = displayNameFault(name);
    setError(fault && faults[fault]);
    setFailure(undefined);
    if (fault !== undefined || busy) return;
    setBusy(true);
    try {
      await onName(name.trim());
    } catch (thrown) {
      const described = describeFailure(thrown, messages);
      if (described.code === 'invalid') setError(words.nameInvalid);
      else setFailure(described.text);
    }
    setBusy(false);
  };
  return (
    <form
      class="form form--sheet"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void onSubmit();
      }}
    >
      <TextField
        label={label}
        hint={hint}
        error={error}
        value={name}
        onInput={(value) => {
          setName(value);
          setError(undefined);
        }}
        autocomplete="nickname"
        autocapitalize="words"
        enterkeyhint="go"
        spellcheck={false}
        autofocus={autofocus}
      />
      <FormFailure text={failure} />
      <RulesNote />
      <Button type="submit" variant="primary" size="large" wide aria-disabled={busy}>
        {submit}
      </Button>
    </form>
  );
};

/** Whoever signs in accepts the house rules (ID-8), which are a tap away. */
const RulesNote = () => {
  const words = useMessages().signIn;
  const [open, setOpen] = useState(false);
  return (
    <>
      <p class="field__hint">
        {words.rulesBefore}{' '}
        <button type="button" class="link" aria-haspopup="dialog" onClick={() => setOpen(true)}>
          {words.rules}
        </button>
        {words.rulesAfter}
      </p>
      {open && <LazyRulesSheet onClose={() => setOpen(false)} />}
    </>
  );
};

/** Asks for a name when one is first needed: before that nobody is bothered. */
export const SignInSheet = () => {
  const { auth } = useApp();
  const words = useMessages().signIn;
  return (
    <Sheet title={words.title} onClose={() => auth.cancel()}>
      <p>{words.intro}</p>
      <NameForm
        label={words.name}
        hint={words.hint}
        submit={words.submit}
        onName={(name) => auth.signIn(name)}
        autofocus
      />
    </Sheet>
  );
};
