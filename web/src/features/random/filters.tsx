import type { AgeRange, Gender } from '@rostrum/shared/protocol/random.ts';
import type { ComponentChildren } from 'preact';
import { ageRanges, genders, reputations } from '../../state/random/choices.ts';
import { Chip } from '../../ui/chip.tsx';
import { Select } from '../../ui/field.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';

/** RQ-3: only what the operator enabled. */
export const Filters = () => {
  const offered = useTalk().service.value?.filters ?? [];
  const words = useTalkWords().filters;
  if (offered.length === 0) return null;
  return (
    <section class="filters" aria-labelledby="filters-title">
      <h2 id="filters-title" class="filters__title">
        {words.title}
      </h2>
      <p class="field__hint">{words.hint}</p>
      {offered.includes('gender') && <WantedGenders />}
      {offered.includes('age') && <WantedAges />}
      {offered.includes('reputation') && <Reputation />}
      {(offered.includes('gender') || offered.includes('age')) && (
        <About gender={offered.includes('gender')} age={offered.includes('age')} />
      )}
    </section>
  );
};

const Group = ({ label, children }: { readonly label: string; readonly children: ComponentChildren }) => (
  <fieldset class="choices__group">
    <legend class="field__label">{label}</legend>
    <div class="choices__chips">{children}</div>
  </fieldset>
);

const toggled = <Value,>(values: readonly Value[], value: Value): readonly Value[] =>
  values.includes(value) ? values.filter((other) => other !== value) : [...values, value];

const WantedGenders = () => {
  const { choices } = useTalk();
  const words = useTalkWords().filters;
  const wanted = choices.chosen.value.genders;
  return (
    <Group label={words.gender}>
      {genders.map((gender) => (
        <Chip
          key={gender}
          pressed={wanted.includes(gender)}
          onClick={() => choices.change({ genders: toggled(wanted, gender) })}
        >
          {words.genders[gender]}
        </Chip>
      ))}
    </Group>
  );
};

const WantedAges = () => {
  const { choices } = useTalk();
  const words = useTalkWords().filters;
  const wanted = choices.chosen.value.ageRanges;
  return (
    <Group label={words.age}>
      {ageRanges.map((range) => (
        <Chip
          key={range}
          pressed={wanted.includes(range)}
          onClick={() => choices.change({ ageRanges: toggled(wanted, range) })}
        >
          {range}
        </Chip>
      ))}
    </Group>
  );
};

const Reputation = () => {
  const { choices } = useTalk();
  const words = useTalkWords().filters;
  const least = choices.chosen.value.minReputation;
  return (
    <Select
      label={words.reputation}
      value={least === null ? '' : String(least)}
      choices={[
        { value: '', label: words.anyReputation },
        ...reputations.map((step) => ({ value: String(step), label: words.minReputation(step) })),
      ]}
      onChange={(value) => choices.change({ minReputation: value === '' ? null : Number(value) })}
    />
  );
};

/** What the filters of others need to know; told only where there are such filters. */
const About = ({ gender, age }: { readonly gender: boolean; readonly age: boolean }) => {
  const { choices } = useTalk();
  const words = useTalkWords().filters;
  const { you } = words;
  const chosen = choices.chosen.value;
  const unsaid = { value: '' as const, label: you.unsaid };
  return (
    <>
      <h3 class="filters__title">{words.about}</h3>
      <p class="field__hint">{words.aboutHint}</p>
      <div class="filters__pair">
        {gender && (
          <Select<Gender | ''>
            label={you.gender}
            value={chosen.gender ?? ''}
            choices={[unsaid, ...genders.map((value) => ({ value, label: you[value] }))]}
            onChange={(value) => choices.change({ gender: value === '' ? null : value })}
          />
        )}
        {age && (
          <Select<AgeRange | ''>
            label={you.age}
            value={chosen.ageRange ?? ''}
            choices={[unsaid, ...ageRanges.map((value) => ({ value, label: value }))]}
            onChange={(value) => choices.change({ ageRange: value === '' ? null : value })}
          />
        )}
      </div>
    </>
  );
};
