import type { ErrorCode } from '@rostrum/shared/errors.ts';
import { type Result, refuse } from '@rostrum/shared/result.ts';
import type * as z from 'zod/mini';

type Issue = {
  readonly code?: string | undefined;
  readonly path?: readonly PropertyKey[];
  readonly keys?: readonly string[];
};

/** Parses input at the edge (SE-1). A refusal is `invalid` with the path of the field that is at fault. */
export const validate = <Schema extends z.ZodMiniType>(schema: Schema, input: unknown): Result<z.output<Schema>> => {
  const parsed = schema.safeParse(input);
  return parsed.success ? { ok: true, value: parsed.data } : refuse('invalid', { path: pathOf(parsed.error.issues) });
};

/** The field that is at fault. zod reports an unknown field at its parent, so its name is added. */
export const pathOf = (issues: readonly Issue[]): string => {
  const [issue] = issues;
  const path = (issue?.path ?? []).map(String);
  const unknown = issue?.code === 'unrecognized_keys' ? (issue.keys?.[0] ?? '') : '';
  // The name of an unknown field comes from outside: what is echoed is bounded.
  return [...path, ...(unknown === '' ? [] : [unknown.slice(0, 40)])].join('.');
};

/** Codes that cost the sender a strike: their message should not have been sent at all. */
export const isStrike = (code: ErrorCode): boolean =>
  code === 'invalid' || code === 'rate_limited' || code === 'too_large';
