import { describe, expect, test } from 'vitest';
import type { KeyPress } from '../room/keys.ts';
import { talkIntentOf } from './keys.ts';

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
const esc = { key: 'Escape', code: 'Escape' };

describe('keys', () => {
  test.each(['idle', 'refused', 'after', 'out'] as const)('space begins to search when %s', (phase) => {
    expect(talkIntentOf(press(space), phase)).toBe('start');
  });

  test.each(['starting', 'queued', 'call'] as const)('space does nothing when %s', (phase) => {
    expect(talkIntentOf(press(space), phase)).toBeUndefined();
  });

  test('RD-6 Esc goes on to the next person, in a call alone', () => {
    expect(talkIntentOf(press(esc), 'call')).toBe('next');
    for (const phase of ['idle', 'queued', 'after', 'out'] as const)
      expect(talkIntentOf(press(esc), phase)).toBeUndefined();
  });

  test('M mutes and C opens the chat, in a call alone; ? shows the list anywhere', () => {
    expect(talkIntentOf(press({ key: 'M' }), 'call')).toBe('toggle-mute');
    expect(talkIntentOf(press({ key: 'c' }), 'call')).toBe('toggle-chat');
    expect(talkIntentOf(press({ key: 'm' }), 'idle')).toBeUndefined();
    expect(talkIntentOf(press({ key: '?' }), 'idle')).toBe('help');
  });

  test('a key that is held down, a dialog, a text and the browser’s own keys skip nobody', () => {
    for (const more of [{ repeat: true }, { dialog: true }, { target: 'text' }, { modified: true }] as const)
      expect(talkIntentOf(press({ ...esc, ...more }), 'call')).toBeUndefined();
  });

  test('space belongs to the control that has the focus', () => {
    expect(talkIntentOf(press({ ...space, target: 'control' }), 'idle')).toBeUndefined();
  });
});
