import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { DownIcon, WarnIcon } from './icons.tsx';
import './field.css';

type Words = {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
};

type Wired = { readonly id: string; readonly 'aria-describedby'?: string; readonly 'aria-invalid'?: 'true' };

/** A label, a control, what helps to fill it in, and what is wrong with it, tied together for everybody. */
const Field = ({
  label,
  hint,
  error,
  children,
}: Words & { readonly children: (wired: Wired) => ComponentChildren }) => {
  const id = useId();
  const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`]
    .filter(Boolean)
    .join(' ');
  const wired: Wired = {
    id,
    ...(described === '' ? {} : { 'aria-describedby': described }),
    ...(error === undefined ? {} : { 'aria-invalid': 'true' }),
  };
  return (
    <div class="field">
      <label class="field__label" for={id}>
        {label}
      </label>
      {children(wired)}
      {error !== undefined && (
        <p id={`${id}-error`} class="field__error" role="alert">
          <WarnIcon />
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} class="field__hint">
          {hint}
        </p>
      )}
    </div>
  );
};

type TextFieldProps = Words & {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly search?: boolean;
  readonly numeric?: boolean;
  /** Takes the focus when it comes; in a dialog, when that opens. */
  readonly autofocus?: boolean;
  readonly autocomplete?: 'off' | 'nickname';
  readonly autocapitalize?: 'words' | 'sentences';
  readonly enterkeyhint?: 'done' | 'go' | 'next' | 'search';
  readonly spellcheck?: boolean;
  readonly maxLength?: number;
};

export const TextField = (props: TextFieldProps) => {
  const {
    label,
    hint,
    error,
    value,
    onInput,
    search = false,
    numeric = false,
    autofocus = false,
    autocomplete = 'off',
    ...rest
  } = props;
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (autofocus) input.current?.focus();
  }, [autofocus]);
  return (
    <Field label={label} hint={hint} error={error}>
      {(wired) => (
        <input
          {...rest}
          {...wired}
          ref={input}
          class="input"
          data-autofocus={autofocus || undefined}
          {...(search ? { type: 'search' } : { type: 'text' })}
          inputMode={numeric ? 'numeric' : 'text'}
          autocomplete={autocomplete}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
};

type TextAreaProps = Words & { readonly value: string; readonly onInput: (value: string) => void };

export const TextArea = ({ label, hint, error, value, onInput }: TextAreaProps) => (
  <Field label={label} hint={hint} error={error}>
    {(wired) => (
      <textarea {...wired} class="input" value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    )}
  </Field>
);

type SelectProps<Value extends string> = Words & {
  readonly value: Value;
  readonly choices: readonly { readonly value: Value; readonly label: string }[];
  readonly onChange: (value: Value) => void;
};

export const Select = <Value extends string>({ label, hint, error, value, choices, onChange }: SelectProps<Value>) => {
  const choose = (chosen: string) => {
    const choice = choices.find((other) => other.value === chosen);
    if (choice !== undefined) onChange(choice.value);
  };
  return (
    <Field label={label} hint={hint} error={error}>
      {(wired) => (
        <div class="select">
          <select {...wired} class="input" value={value} onChange={(event) => choose(event.currentTarget.value)}>
            {choices.map((choice) => (
              <option key={choice.value} value={choice.value}>
                {choice.label}
              </option>
            ))}
          </select>
          <DownIcon />
        </div>
      )}
    </Field>
  );
};

type SwitchProps = {
  readonly label: string;
  readonly hint?: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
};

/** On or off, at once. */
export const Switch = ({ label, hint, checked, onChange }: SwitchProps) => {
  const id = useId();
  return (
    <label class="switch" for={id}>
      <span class="switch__words">
        <span id={`${id}-label`}>{label}</span>
        {hint !== undefined && (
          <span id={`${id}-hint`} class="field__hint">
            {hint}
          </span>
        )}
      </span>
      <input
        id={id}
        type="checkbox"
        role="switch"
        class="switch__input"
        aria-labelledby={`${id}-label`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        aria-checked={checked}
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  );
};
