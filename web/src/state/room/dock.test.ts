import type { Role } from '@rostrum/shared/protocol/room.ts';
import { mayAct } from '@rostrum/shared/room/permissions.ts';
import { describe, expect, test } from 'vitest';
import { createEnglish } from '../../i18n/index.ts';
import { dockOf, dockStatus } from './dock.ts';
import { exampleView } from './examples.ts';
import { microphoneModel } from './microphone.ts';

const { messages } = createEnglish();
const roles: readonly Role[] = ['host', 'moderator', 'speaker', 'listener'];
const off = microphoneModel({ state: 'off' }, { muted: null }, messages);

describe('dockOf', () => {
  test.each(roles)('RO-2 offers a %s the microphone, the hand and the way down as the table says', (role) => {
    const dock = dockOf(exampleView({ role }));
    expect(dock.microphone).toBe(mayAct('open-microphone', role));
    expect(dock.hand !== 'none').toBe(mayAct('raise-hand', role));
    expect(dock.stepDown).toBe(mayAct('step-down', role));
  });

  test('HD-1 a hand is raised once, then lowered', () => {
    expect(dockOf(exampleView()).hand).toBe('raise');
    expect(dockOf(exampleView({ self: { handPosition: 3 } })).hand).toBe('lower');
  });

  test('HD-5 a hand that may not be raised is shown as closed, one that is up can come down', () => {
    const closed = { permissions: { anyoneCanSpeak: false, allowRecording: false, allowHandRaise: false } };
    expect(dockOf(exampleView({ info: closed })).hand).toBe('closed');
    expect(dockOf(exampleView({ self: { mayRaiseHand: false } })).hand).toBe('closed');
    expect(dockOf(exampleView({ self: { mayRaiseHand: false, handPosition: 1 } })).hand).toBe('lower');
  });
});

describe('dockStatus', () => {
  const status = (parts: Parameters<typeof exampleView>[0]) => dockStatus(exampleView(parts), off, messages).text;

  test.each([
    [1, 'You are 1st in line'],
    [2, 'You are 2nd in line'],
    [3, 'You are 3rd in line'],
    [11, 'You are 11th in line'],
    [22, 'You are 22nd in line'],
  ])('HD-1 tells a listener their place %i', (place, text) => {
    expect(status({ self: { handPosition: place } })).toBe(text);
  });

  test('WB-4 tells why a hand cannot be raised', () => {
    expect(status({ self: { mayRaiseHand: false } })).toBe('A moderator took away your right to raise a hand');
    expect(status({})).toBe('You are listening');
    expect(status({ role: 'speaker' })).toBe('Your microphone is off');
  });
});
