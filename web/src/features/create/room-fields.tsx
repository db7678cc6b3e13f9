import { sizes } from '@rostrum/shared/limits.ts';
import { useLanguage } from '../../i18n/index.ts';
import { audioQualities, categories, languageChoices } from '../../state/choices.ts';
import {
  advancedFields,
  numberRanges,
  type RoomDraft,
  type RoomField,
  type RoomFormErrors,
} from '../../state/room-form.ts';
import { addTag } from '../../state/tags.ts';
import { Disclosure } from '../../ui/disclosure.tsx';
import { Select, Switch, TextArea, TextField } from '../../ui/field.tsx';
import { TagField } from '../../ui/tag-field.tsx';
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
      <Disclosure title={words.more} wanted={atFault}>
        <Switches draft={draft} onChange={onChange} />
        <Limits draft={draft} errors={errors} onChange={onChange} />
        <TagField
          label={words.tags}
          hint={words.tagsHint(sizes.tags)}
          error={errors.tags}
          tags={draft.tags}
          add={(text) => addTag(draft.tags, text, { most: sizes.tags, longest: sizes.tag }, messages)}
          onChange={(tags) => onChange({ tags })}
          addLabel={words.addTag}
          removeLabel={words.removeTag}
        />
      </Disclosure>
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
