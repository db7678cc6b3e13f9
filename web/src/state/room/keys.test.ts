import { describe, expect, test } from 'vitest';
import { intentOf, type KeyPress } from './keys.ts';

const press = (more: Partial<KeyPress>): KeyPress => ({
  key: '',
  code: '',
  repeat: false,
  modified: false,
  target: 'page',
  dialog: false,
  ...more,
});
const space = { key: ' ', code: 'Space' };

describe('WB-3 keys', () => {
  test('WB-3 M mutes, H raises a hand, ? shows the list, space talks', () => {
    expect(intentOf(press({ key: 'm', code: 'KeyM' }))).toBe('toggle-mute');
    expect(intentOf(press({ key: 'M', code: 'KeyM' }))).toBe('toggle-mute');
    expect(intentOf(press({ key: 'h', code: 'KeyH' }))).toBe('toggle-hand');
    expect(intentOf(press({ key: '?', code: 'Slash' }))).toBe('help');
    expect(intentOf(press(space))).toBe('talk');
  });

  test('WB-3 space talks while it is held, and belongs to a control that has the focus', () => {
    expect(intentOf(press({ ...space, repeat: true }))).toBe('talk');
    expect(intentOf(press({ ...space, target: 'microphone' }))).toBe('talk');
    expect(intentOf(press({ ...space, target: 'control' }))).toBeUndefined();
    expect(intentOf(press({ ...space, target: 'text' }))).toBeUndefined();
  });

  test('WB-3 nothing happens while one types, in a dialog, or with a key of the browser', () => {
    for (const more of [{ target: 'text' }, { dialog: true }, { modified: true }, { repeat: true }] as const) {
      expect(intentOf(press({ key: 'm', code: 'KeyM', ...more }))).toBeUndefined();
    }
  });
});
