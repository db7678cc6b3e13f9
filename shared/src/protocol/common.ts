import * as z from 'zod/mini';
import type { WireError } from '../errors.ts';

/** Ids are 128 random bits (SE-7), written in base64url: 22 characters. */
export const id = z.string().check(z.regex(/^[\w-]{22}$/));

/** Milliseconds since the Unix epoch, by the server's clock. */
export const timestamp = z.int().check(z.gte(0));

/**
 * Control characters, line breaks included, and the bidirectional overrides and isolates of Unicode (UAX #9), which
 * would let a name rewrite the text around it.
 */
const unprintable = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;
const unprintableButLineBreaks = /(?!\n)[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/** One line that a person writes: trimmed, `min` to `max` characters, no control characters. */
export const line = (min: number, max: number) =>
  z.string().check(
    z.trim(),
    z.minLength(min),
    z.maxLength(max),
    z.refine((text) => !unprintable.test(text)),
  );

/** Several lines that a person writes: trimmed, at most `max` characters, no control characters but line breaks. */
export const paragraph = (max: number) =>
  z.string().check(
    z.trim(),
    z.maxLength(max),
    z.refine((text) => !unprintableButLineBreaks.test(text)),
  );

/** The empty answer of a command that only succeeds. */
export const nothing = z.strictObject({});

/** What a command is acknowledged with. */
export type Ack<Data> = { ok: true; data: Data } | { ok: false; error: WireError };

/** A command: what the client sends and what a success answers with. */
export type CommandSchema = { readonly input: z.ZodMiniType; readonly output: z.ZodMiniType };

export type InputOf<Schema extends CommandSchema> = z.output<Schema['input']>;
export type OutputOf<Schema extends CommandSchema> = z.output<Schema['output']>;
