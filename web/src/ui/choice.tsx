import { useId } from 'preact/hooks';
import { WarnIcon } from './icons.tsx';
import './choice.css';

type ChoiceProps<Value extends string> = {
  readonly label: string;
  readonly error?: string | undefined;
  readonly value: Value | undefined;
  readonly choices: readonly { readonly value: Value; readonly label: string }[];
  readonly onChange: (value: Value) => void;
};

/** One of a few answers that are read before one is chosen. */
export const Choice = <Value extends string>({ label, error, value, choices, onChange }: ChoiceProps<Value>) => {
  const id = useId();
  return (
    <fieldset class="choice" aria-describedby={error === undefined ? undefined : `${id}-error`}>
      <legend class="choice__label">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value} class="choice__row">
          <input
            class="choice__input"
            type="radio"
            name={id}
            value={choice.value}
            checked={choice.value === value}
            aria-invalid={error === undefined ? undefined : 'true'}
            onChange={() => onChange(choice.value)}
          />
          {choice.label}
        </label>
      ))}
      {error !== undefined && (
        <p id={`${id}-error`} class="field__error" role="alert">
          <WarnIcon />
          {error}
        </p>
      )}
    </fieldset>
  );
};
