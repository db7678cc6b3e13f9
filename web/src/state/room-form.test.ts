import { sizes } from '@rostrum/shared/limits.ts';
import { createRoomSchema, roomChangesSchema } from '@rostrum/shared/protocol/room.ts';
import { describe, expect, test } from 'vitest';
import { createEnglish } from '../i18n/index.ts';
import { exampleInfo } from './room/examples.ts';
import { checkDraft, draftOf, fieldOf, newDraft, toChanges, toCreate } from './room-form.ts';
import { addTag } from './tags.ts';

const { messages } = createEnglish();
const draft = { ...newDraft('en'), title: ' Evening jazz ' };

describe('RM-1 a new room', () => {
  test('RM-1 what the form sends is what the server accepts', () => {
    expect(checkDraft(draft, messages)).toEqual({});
    expect(createRoomSchema.safeParse(toCreate(draft)).success).toBe(true);
    expect(toCreate(draft).title).toBe('Evening jazz');
  });

  test.each([
    ['title', '  '],
    ['title', 'x'.repeat(101)],
    ['title', 'a\u202Eb'],
    ['description', 'x'.repeat(1001)],
    ['maxSpeakers', '31'],
    ['maxSpeakers', '0'],
    ['maxSpeakers', ''],
    ['maxSpeakers', '2.5'],
    ['maxParticipants', '1'],
    ['maxParticipants', '10001'],
  ] as const)('RM-1 %s as %j is refused beside its field, as the server would', (field, value) => {
    const wrong = { ...draft, [field]: value };
    expect(Object.keys(checkDraft(wrong, messages))).toEqual([field]);
    expect(createRoomSchema.safeParse({ ...toCreate(wrong), [field]: toCreate(wrong)[field] }).success).toBe(false);
  });

  test('RM-1 at most 5 tags of at most 24 characters, none twice', () => {
    const five = ['a', 'b', 'c', 'd', 'e'];
    const add = (tags: string[], text: string) =>
      addTag(tags, text, { most: sizes.tags, longest: sizes.tag }, messages);
    expect(add(['jazz'], ' #blues ')).toEqual({ tags: ['jazz', 'blues'] });
    expect(add(['jazz'], 'Jazz')).toEqual({ tags: ['jazz'] });
    expect(add(five, 'f')).toHaveProperty('error');
    expect(add([], 'x'.repeat(25))).toHaveProperty('error');
  });
});

describe('RM-8 a live room', () => {
  test('RM-8 sends only what differs', () => {
    const info = exampleInfo();
    expect(toChanges(info, draftOf(info))).toEqual({});
    const changed = { ...draftOf(info), title: 'Late jazz', tags: ['late'], maxSpeakers: '5', hideParticipants: true };
    const changes = toChanges(info, changed);
    expect(changes).toEqual({
      title: 'Late jazz',
      tags: ['late'],
      maxSpeakers: 5,
      privacy: { hideParticipants: true },
    });
    expect(roomChangesSchema.safeParse(changes).success).toBe(true);
  });
});

test('SE-1 the path of a refusal finds its field', () => {
  expect(fieldOf('title')).toBe('title');
  expect(fieldOf('changes.privacy.hideParticipants')).toBe('hideParticipants');
  expect(fieldOf('tags.3')).toBe('tags');
  expect(fieldOf('type')).toBeUndefined();
});
