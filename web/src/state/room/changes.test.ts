import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { describe, expect, test } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import { changesBetween } from './changes.ts';
import { examplePerson, exampleView } from './examples.ts';

const { messages } = createEnglish();
const between = (before: Parameters<typeof exampleView>[0], after: Parameters<typeof exampleView>[0]) =>
  changesBetween(exampleView(before), exampleView(after), messages);
const ana = examplePerson('Ana', 'host');
const ben = examplePerson('Ben', 'speaker');
const hand = (name: string) => ({ userId: examplePerson(name, 'listener').userId, displayName: name, raisedAt: 0 });
const staff = (...names: string[]): RoomView['staff'] => ({ hands: names.map(hand), invitations: [] });

describe('WB-5 changes are told', () => {
  test('WB-5 who joined and left the stage, politely, all at once', () => {
    const chi = examplePerson('Chi', 'speaker');
    expect(between({ stage: [ana] }, { stage: [ana, ben, chi] })).toEqual([
      { text: 'Ben and Chi joined the stage.', urgency: 'polite', sound: 'join' },
    ]);
    expect(between({ stage: [ana, ben] }, { stage: [ana] })).toEqual([
      { text: 'Ben left the stage.', urgency: 'polite' },
    ]);
  });

  test('WB-5 raised hands, to those who see them', () => {
    const moderator = { role: 'moderator' } as const;
    expect(between({ ...moderator, staff: staff('Ana') }, { ...moderator, staff: staff('Ana', 'Ben') })).toEqual([
      { text: 'Ben raised a hand.', urgency: 'polite', sound: 'hand' },
    ]);
  });

  test('WB-5 being muted is told at once, with who did it and why', () => {
    const muted = { byName: 'Ana', reason: 'echo', locked: true };
    const [change] = between({ role: 'speaker' }, { role: 'speaker', self: { muted } });
    expect(change).toEqual({
      text: 'Ana muted you: “echo”. Only a moderator can unmute you.',
      urgency: 'assertive',
    });
    expect(between({ role: 'speaker', self: { muted } }, { role: 'speaker', self: { muted: { ...muted } } })).toEqual(
      [],
    );
  });

  test('WB-5 being invited is told at once; coming on stage is left to the event that says who did it', () => {
    const invitation = { byName: 'Ana', until: 1 };
    expect(between({}, { self: { invitation } })[0]).toMatchObject({ urgency: 'assertive' });
    expect(between({ self: { invitation } }, { role: 'speaker' })).toEqual([]);
  });

  test('WB-5 going back to the audience is told and shown', () => {
    expect(between({ role: 'speaker' }, {})).toEqual([
      { text: 'You are in the audience now.', urgency: 'assertive', shown: true },
    ]);
  });

  test('HD-1 the place in the queue is told whenever it moves, and when the hand came down', () => {
    const at = (handPosition: number | null) => ({ self: { handPosition } });
    expect(between(at(3), at(2))[0]?.text).toBe('Your hand is number 2 in line.');
    expect(between(at(1), at(null))[0]?.text).toBe('Your hand was lowered.');
    expect(between(at(1), { role: 'speaker' })).toEqual([]);
  });

  test('tells nothing where nothing changed', () => {
    const view = exampleView();
    expect(changesBetween(view, view, messages)).toEqual([]);
    expect(between({}, {})).toEqual([]);
  });
});
