import type * as z from 'zod/mini';
import { corrupt } from './corrupt.ts';

/**
 * Reads values that were written as JSON. `where` names the key, for the error.
 * @throws CorruptState where the text is no JSON, or its value not of this shape
 */
export const readerOf =
  <Value>(schema: z.ZodMiniType<Value>) =>
  (text: string, where: string): Value => {
    const parsed = schema.safeParse(parse(text, where));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return corrupt(where, `does not hold what it should, at "${issue?.path.join('.') ?? ''}" (${issue?.code})`);
  };

const parse = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    return corrupt(where, 'does not hold JSON', error);
  }
};

/** A whole number that Redis keeps as text. @throws CorruptState */
export const readCount = (text: string | null, where: string): number =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : corrupt(where, 'does not hold a whole number');

/**
 * JSON with its fields in alphabetical order, at every depth: equal values have equal texts, however they came about, so a script
 * can compare them without knowing JSON.
 */
export const canonical = (value: unknown): string => JSON.stringify(value, inOrder);

const inOrder = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
};
