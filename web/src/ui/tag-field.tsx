import { useState } from 'preact/hooks';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';
import { CloseIcon } from './icons.tsx';
import './chip.css';
import './tag-field.css';

type TagFieldProps = {
  readonly label: string;
  readonly hint: string;
  readonly error?: string | undefined;
  readonly tags: readonly string[];
  /** The tags with one more, or why it cannot be one. */
  readonly add: (text: string) => { readonly tags: readonly string[] } | { readonly error: string };
  readonly onChange: (tags: readonly string[]) => void;
  readonly addLabel: string;
  readonly removeLabel: (tag: string) => string;
};

/** A few short words, written one after the other and taken out with a tap. */
export const TagField = (props: TagFieldProps) => {
  const { label, hint, error, tags, add, onChange, addLabel, removeLabel } = props;
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<string>();
  const take = () => {
    const added = add(text);
    setRefused('error' in added ? added.error : undefined);
    if ('error' in added) return;
    onChange(added.tags);
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || (event.key !== 'Enter' && event.key !== ',')) return;
    event.preventDefault();
    take();
  };
  return (
    <div class="tags">
      <div class="tags__add">
        <TextField
          label={label}
          hint={hint}
          error={refused ?? error}
          value={text}
          onInput={(value) => {
            setText(value);
            setRefused(undefined);
          }}
          onKeyDown={onKeyDown}
          enterkeyhint="done"
        />
        <Button class="tags__button" onClick={take}>
          {addLabel}
        </Button>
      </div>
      {tags.length > 0 && (
        <ul class="tags__list">
          {tags.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                class="chip"
                aria-label={removeLabel(tag)}
                onClick={() => onChange(tags.filter((other) => other !== tag))}
              >
                {tag}
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
};
