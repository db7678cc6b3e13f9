import { effect, type Signal, signal } from '@preact/signals';
import { readRecord, type Storage } from './storage.ts';

const key = 'rostrum.preferences';

/** What a person chose for this browser. */
export type Preferences = {
  /** Soft sounds for joins, hands and being live. */
  readonly sounds: Signal<boolean>;
  /** Shortcuts of a single key (WCAG 2.1.4: there is a way to turn them off). */
  readonly shortcuts: Signal<boolean>;
  /** Echo cancellation, noise suppression and gain control; undefined until chosen: then the room's quality decides. */
  readonly processing: Signal<boolean | undefined>;
  /** The microphone that was chosen; undefined for the standard one. */
  readonly deviceId: Signal<string | undefined>;
};

const optional = <T>(value: unknown, is: (value: unknown) => value is T): T | undefined =>
  is(value) ? value : undefined;
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isString = (value: unknown): value is string => typeof value === 'string';

export const createPreferences = (storage: Storage): Preferences => {
  const kept = readRecord(storage, key) ?? {};
  const preferences: Preferences = {
    sounds: signal(optional(kept['sounds'], isBoolean) ?? true),
    shortcuts: signal(optional(kept['shortcuts'], isBoolean) ?? true),
    processing: signal(optional(kept['processing'], isBoolean)),
    deviceId: signal(optional(kept['deviceId'], isString)),
  };
  effect(() => {
    const { sounds, shortcuts, processing, deviceId } = preferences;
    const chosen = {
      sounds: sounds.value,
      shortcuts: shortcuts.value,
      processing: processing.value,
      deviceId: deviceId.value,
    };
    storage.write(key, JSON.stringify(chosen));
  });
  return preferences;
};
