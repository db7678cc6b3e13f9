import { describe, expect, test } from 'vitest';
import type { LocalMicrophone } from '../../client/types.ts';
import { createEnglish } from '../../i18n/index.ts';
import { microphoneModel } from './microphone.ts';

const { messages } = createEnglish();
const live = (muted: boolean): LocalMicrophone => ({ state: 'live', muted, deviceId: 'a', label: 'Built-in' });
const model = (
  local: LocalMicrophone,
  muted: { byName: string; reason: string | null; locked: boolean } | null = null,
) => microphoneModel(local, { muted }, messages);

describe('microphoneModel', () => {
  test('is opened, muted and unmuted by one control', () => {
    expect(model({ state: 'off' })).toMatchObject({ kind: 'off', action: 'open' });
    expect(model({ state: 'asking' })).toMatchObject({ kind: 'asking', action: 'none' });
    expect(model(live(false))).toMatchObject({ kind: 'live', action: 'mute', status: 'You are live' });
    expect(model(live(true))).toMatchObject({ kind: 'muted', action: 'unmute', status: 'You are muted' });
  });

  test('MO-1 says who muted one and why, and lets one unmute', () => {
    const muted = model(live(true), { byName: 'Ana', reason: 'echo', locked: false });
    expect(muted).toMatchObject({ kind: 'muted-by-moderator', action: 'unmute' });
    expect(muted.status).toBe('Ana muted you: “echo”. You may unmute.');
  });

  test('MO-1 a lock holds whatever the microphone does', () => {
    const lock = { byName: 'Ana', reason: null, locked: true };
    for (const local of [{ state: 'off' } as const, live(true), live(false)]) {
      expect(model(local, lock)).toMatchObject({ kind: 'locked', action: 'none' });
    }
    expect(model(live(true), lock).status).toBe('Ana muted you. Only a moderator can unmute you.');
  });

  test.each(['denied', 'missing', 'busy', 'lost', 'unsupported', 'refused'] as const)(
    'WB-4 says what to do about a microphone that is %s, and offers to try again',
    (reason) => {
      const failed = model({ state: 'failed', reason });
      expect(failed).toMatchObject({ kind: 'failed', action: 'open', label: 'Try again' });
      expect(failed.status.split('. ').length).toBeGreaterThan(1);
    },
  );
});
