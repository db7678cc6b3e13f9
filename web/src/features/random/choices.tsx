import { sizes } from '@rostrum/shared/limits.ts';
import { useLanguage } from '../../i18n/index.ts';
import { languageChoices } from '../../state/choices.ts';
import { spokenFrom } from '../../state/random/choices.ts';
import { addTag } from '../../state/tags.ts';
import { Chip } from '../../ui/chip.tsx';
import { Disclosure } from '../../ui/disclosure.tsx';
import { Switch } from '../../ui/field.tsx';
import { TagField } from '../../ui/tag-field.tsx';
import { Filters } from './filters.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import './choices.css';

/** Whom one would like to meet. All of it may be left as it is. */
export const Choices = () => {
  const words = useTalkWords();
  return (
    <section class="choices">
      <Languages />
      <Disclosure title={words.more}>
        <Interests />
        <Nearby />
        <Address />
        <Filters />
      </Disclosure>
    </section>
  );
};

const Languages = () => {
  const { choices } = useTalk();
  const { formats } = useLanguage();
  const words = useTalkWords();
  const { languages, preferLanguages } = choices.chosen.value;
  // Those of the browser stay in sight when they are not chosen: a tap brings them back.
  const shown = [...new Set([...languages, ...spokenFrom(navigator.languages)])];
  const toggle = (tag: string) => {
    const next = languages.includes(tag) ? languages.filter((other) => other !== tag) : [...languages, tag];
    choices.change({ languages: next.slice(0, sizes.languages) });
  };
  const addable = languageChoices([], '', formats.language).filter(({ value }) => !shown.includes(value));
  const full = languages.length >= sizes.languages;
  return (
    <div class="choices__languages">
      <fieldset class="choices__group">
        <legend class="field__label">{words.languages}</legend>
        <div class="choices__chips">
          {shown.map((tag) => (
            <Chip key={tag} pressed={languages.includes(tag)} onClick={() => toggle(tag)}>
              {formats.language(tag)}
            </Chip>
          ))}
          {!full && <AddLanguage choices={addable} onAdd={toggle} />}
        </div>
      </fieldset>
      <Switch
        label={words.prefer}
        hint={full ? words.mostLanguages(sizes.languages) : words.preferHint}
        checked={preferLanguages}
        onChange={(on) => choices.change({ preferLanguages: on })}
      />
    </div>
  );
};

type AddLanguageProps = {
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly onAdd: (tag: string) => void;
};

/** A chip that opens the browser's own list. */
const AddLanguage = ({ choices, onAdd }: AddLanguageProps) => {
  const words = useTalkWords();
  return (
    <select
      class="chip choices__add"
      aria-label={words.addLanguage}
      value=""
      onChange={(event) => {
        const tag = event.currentTarget.value;
        event.currentTarget.value = '';
        if (tag !== '') onAdd(tag);
      }}
    >
      <option value="">{words.addLanguage}</option>
      {choices.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
};

const Interests = () => {
  const { choices } = useTalk();
  const { messages } = useLanguage();
  const words = useTalkWords();
  const { interests } = choices.chosen.value;
  return (
    <TagField
      label={words.interests}
      hint={words.interestsHint(sizes.interests)}
      tags={interests}
      add={(text) => addTag(interests, text, { most: sizes.interests, longest: sizes.interest }, messages)}
      onChange={(next) => choices.change({ interests: next })}
      addLabel={words.addInterest}
      removeLabel={words.removeInterest}
    />
  );
};

const Nearby = () => {
  const { choices, region } = useTalk();
  const { formats } = useLanguage();
  const words = useTalkWords();
  if (region === undefined) return null;
  return (
    <Switch
      label={words.nearby(formats.region(region))}
      checked={choices.chosen.value.nearby}
      onChange={(nearby) => choices.change({ nearby })}
    />
  );
};

/** RD-12: hidden where the operator says so, hidden or not where one may choose. */
const Address = () => {
  const { choices, service } = useTalk();
  const words = useTalkWords();
  switch (service.value?.relay) {
    case 'optional':
      return (
        <Switch
          label={words.hideAddress}
          hint={words.hideAddressHint}
          checked={choices.chosen.value.hideAddress}
          onChange={(hideAddress) => choices.change({ hideAddress })}
        />
      );
    case 'always':
      return <p class="field__hint">{words.addressHidden}</p>;
    default:
      return null;
  }
};
