import { RecordsUnavailableError } from '../errors.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html) that say "not now" and not "this is wrong". */
const codes = { busy: 5, locked: 6, noMemory: 7, readOnly: 8, ioError: 10, full: 13, cannotOpen: 14 };
const unavailable: readonly number[] = Object.values(codes);

/** The primary result code of an error of node:sqlite: the low 8 bits of the extended one. */
const primaryCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;

export const isBusy = (error: unknown): boolean => primaryCode(error) === codes.busy;

/** The error as callers of `Records` know it. */
export const asRecordsError = (error: unknown): unknown => {
  const code = primaryCode(error);
  if (code === undefined || !unavailable.includes(code)) return error;
  return new RecordsUnavailableError(
    `The records cannot be reached: ${error instanceof Error ? error.message : code}`,
    {
      cause: error,
    },
  );
};
