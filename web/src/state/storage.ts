/** A place to keep small strings. The browser's own may be missing or full (private windows): then nothing is kept. */
export type Storage = {
  read(key: string): string | undefined;
  write(key: string, value: string): void;
  remove(key: string): void;
};

export const browserStorage = (store: () => globalThis.Storage): Storage => ({
  read: (key) => {
    try {
      return store().getItem(key) ?? undefined;
    } catch {
      return undefined;
    }
  },
  write: (key, value) => {
    try {
      store().setItem(key, value);
    } catch {
      // What cannot be kept is asked again at the next visit.
    }
  },
  remove: (key) => {
    try {
      store().removeItem(key);
    } catch {
      // Nothing was kept, so nothing is to be removed.
    }
  },
});

export const memoryStorage = (): Storage => {
  const kept = new Map<string, string>();
  return {
    read: (key) => kept.get(key),
    write: (key, value) => void kept.set(key, value),
    remove: (key) => void kept.delete(key),
  };
};

/** The record that was written under a key, or undefined: what is kept may come from another version of the page. */
export const readRecord = (storage: Storage, key: string): Readonly<Record<string, unknown>> | undefined => {
  const text = storage.read(key);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};
