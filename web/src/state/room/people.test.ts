import { effect } from '@preact/signals';
import { expect, test } from 'vitest';
import { examplePerson, exampleView } from './examples.ts';
import { createPeople } from './people.ts';

const ana = examplePerson('Ana', 'host');
const ben = examplePerson('Ben', 'speaker');

test('WB-7 a person who speaks changes their own signal alone', () => {
  const people = createPeople();
  const seen: string[] = [];
  for (const { userId, displayName } of [ana, ben]) {
    effect(() => void seen.push(`${displayName} ${people.speaking(userId).value}`));
  }
  seen.length = 0;
  people.takeSpeaking(new Set([ana.userId]));
  expect(seen).toEqual(['Ana true']);
  people.takeSpeaking(new Set([ana.userId, ben.userId]));
  people.takeSpeaking(new Set([ben.userId]));
  expect(seen).toEqual(['Ana true', 'Ben true', 'Ana false']);
});

test('WB-7 a view that changes one person tells nobody who looks at another', () => {
  const people = createPeople();
  people.takeView(exampleView({ stage: [ana, ben] }));
  let drawn = 0;
  effect(() => {
    people.person(ana.userId).value;
    drawn += 1;
  });
  people.takeView(exampleView({ stage: [ana, { ...ben, microphone: 'muted' }] }));
  expect(drawn).toBe(1);
  expect(people.person(ben.userId).value?.participant.microphone).toBe('muted');
});

test('MO-5 whoever left is still known, as somebody who is not there', () => {
  const people = createPeople();
  people.takeView(exampleView({ stage: [ana, ben] }));
  people.takeView(exampleView({ stage: [ana] }));
  expect(people.person(ben.userId).value).toEqual({ participant: ben, present: false });
});

test('RM-10 people of a page are known, and what the view says of somebody goes before it', () => {
  const people = createPeople();
  people.takeView(exampleView({ stage: [ana], members: null }));
  people.learn([examplePerson('Chi', 'listener'), { ...ana, role: 'listener' }]);
  expect(people.person(examplePerson('Chi', 'listener').userId).value?.present).toBe(true);
  expect(people.person(ana.userId).value?.participant.role).toBe('host');
});
