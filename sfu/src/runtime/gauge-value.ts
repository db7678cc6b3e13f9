import { StateUnavailable } from '../state/room-store.ts';

/**
 * A value for Prometheus that is read from the live state. While that is away the value is not known, which is said by NaN (text
 * format of Prometheus): every other figure is wanted just then (RE-4).
 */
export const orUnknown = async (read: () => Promise<number> | number): Promise<number> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StateUnavailable) return Number.NaN;
    throw error;
  }
};
