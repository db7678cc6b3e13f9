import { sizes } from '@rostrum/shared/limits.ts';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useLanguage } from '../../i18n/index.ts';
import { audioQualities, categories, languageChoices } from '../../state/choices.ts';
import {
  addTag,
  advancedFields,
  numberRanges,
  type RoomDraft,
  type RoomField,
  type RoomFormErrors,
} from '../../state/room-form.ts';
import { Button } from '../../ui/button.tsx';
import { Select, Switch, TextArea, TextField } from '../../ui/field.tsx';
import { CloseIcon } from '../../ui/icons.tsx';
import './room-fields.css';

type RoomFieldsProps = {
  readonly draft: RoomDraft;
  readonly errors: RoomFormErrors;
  /** The audio quality is chosen once, when the room is made (RM-8). */
  readonly fixedQuality?: boolean;
  readonly onChange: (change: Partial<RoomDraft>) => void;
};

/** What a host decides about a room: the same fields to make it and to change it. */
export const RoomFields = ({ draft, errors, fixedQuality = false, onChange }: RoomFieldsProps) => {
  const { messages } = useLanguage();
  const words = messages.roomForm;
  const atFault = advancedFields.some((field: RoomField) => errors[field] !== undefined);
  const more = useRef<HTMLDetailsElement>(null);
  // A field at fault is shown; it stays in sight while it is put right.
  useLayoutEffect(() => {
    if (atFault && more.current !== null) more.current.open = true;
  }, [atFault]);
  return (
    <>
      <TextField
        label={words.title}
        hint={words.titleHint}
        error={errors.title}
        value={draft.title}
        onInput={(title) => onChange({ title })}
        autofocus={!fixedQuality}
        enterkeyhint="next"
      />
      <TextArea
        label={words.description}
        error={errors.description}
        value={draft.description}
        onInput={(description) => onChange({ description })}
      />
      <KindFields draft={draft} errors={errors} fixedQuality={fixedQuality} onChange={onChange} />
      <details ref={more} class="more">
        <summary class="more__title">{words.more}</summary>
        <div class="more__fields">
          <Switches draft={draft} onChange={onChange} />
          <Limits draft={draft} errors={errors} onChange={onChange} />
          <Tags tags={draft.tags} error={errors.tags} onChange={(tags) => onChange({ tags })} />
        </div>
      </details>
    </>
  );
};

const KindFields = ({ draft, errors, fixedQuality = false, onChange }: RoomFieldsProps) => {
  const { messages, formats } = useLanguage();
  const words = messages.roomForm;
  return (
    <div class="pair">
      <Select
        label={words.category}
        error={errors.category}
        value={draft.category}
        choices={categories.map((value) => ({ value, label: messages.home.categories[value] }))}
        onChange={(category) => onChange({ category })}
      />
      <Select
        label={words.language}
        error={errors.language}
        value={draft.language}
        choices={languageChoices(navigator.languages, draft.language, formats.language)}
        onChange={(language) => onChange({ language })}
      />
      {!fixedQuality && (
        <div class="pair__whole">
          <Select
            label={words.quality}
            error={errors.audioQuality}
            value={draft.audioQuality}
            choices={audioQualities.map((value) => ({ value, label: words.qualities[value] }))}
            onChange={(audioQuality) => onChange({ audioQuality })}
          />
        </div>
      )}
    </div>
  );
};

const Switches = ({ draft, onChange }: Pick<RoomFieldsProps, 'draft' | 'onChange'>) => {
  const words = useLanguage().messages.roomForm;
  return (
    <div>
      <Switch
        label={words.allowHandRaise}
        hint={words.allowHandRaiseHint}
        checked={draft.allowHandRaise}
        onChange={(allowHandRaise) => onChange({ allowHandRaise })}
      />
      <Switch
        label={words.anyoneCanSpeak}
        hint={words.anyoneCanSpeakHint}
        checked={draft.anyoneCanSpeak}
        onChange={(anyoneCanSpeak) => onChange({ anyoneCanSpeak })}
      />
      <Switch
        label={words.hideParticipants}
        hint={words.hideParticipantsHint}
        checked={draft.hideParticipants}
        onChange={(hideParticipants) => onChange({ hideParticipants })}
      />
    </div>
  );
};

const Limits = ({ draft, errors, onChange }: RoomFieldsProps) => {
  const words = useLanguage().messages.roomForm;
  const field = (name: keyof typeof numberRanges) => {
    const { min, max } = numberRanges[name];
    return (
      <TextField
        label={words[name]}
        hint={words.range(min, max)}
        error={errors[name]}
        value={draft[name]}
        onInput={(value) => onChange({ [name]: value })}
        numeric
      />
    );
  };
  return (
    <div class="pair">
      {field('maxSpeakers')}
      {field('maxParticipants')}
    </div>
  );
};

type TagsProps = {
  readonly tags: readonly string[];
  readonly error: string | undefined;
  readonly onChange: (tags: readonly string[]) => void;
};

const Tags = ({ tags, error, onChange }: TagsProps) => {
  const { messages } = useLanguage();
  const words = messages.roomForm;
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<string>();
  const add = () => {
    const added = addTag(tags, text, messages);
    setRefused('error' in added ? added.error : undefined);
    if ('error' in added) return;
    onChange(added.tags);
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || (event.key !== 'Enter' && event.key !== ',')) return;
    event.preventDefault();
    add();
  };
  return (
    <div class="tags">
      <div class="tags__add">
        <TextField
          label={words.tags}
          hint={words.tagsHint(sizes.tags)}
          error={refused ?? error}
          value={text}
          onInput={(value) => {
            setText(value);
            setRefused(undefined);
          }}
          onKeyDown={onKeyDown}
          enterkeyhint="done"
        />
        <Button class="tags__button" onClick={add}>
          {words.addTag}
        </Button>
      </div>
      {tags.length > 0 && (
        <ul class="tags__list">
          {tags.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                class="chip"
                aria-label={words.removeTag(tag)}
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
