import { describe, expect, test } from 'vitest';
import { errorCodes, errorTable, wireError } from '../src/errors.ts';
import { errorBodySchema } from '../src/protocol/rest.ts';
import { refuse } from '../src/result.ts';

describe('The closed list of errors', () => {
  test.each(errorCodes)('%s has words for a person and a status of HTTP', (code) => {
    const { status, message } = errorTable[code];
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(Number.isInteger(status) && status >= 400 && status < 600).toBe(true);
    expect(message).toMatch(/^[A-Z].{10,}\.$/);
    expect(message).not.toMatch(/_|\d{3}/);
  });

  test('no two errors say the same', () => {
    expect(new Set(errorCodes.map((code) => errorTable[code].message)).size).toBe(errorCodes.length);
  });

  test('RO-2 SE-8 a refusal of a person is forbidden to them, and what they may not know of is not there', () => {
    expect([
      errorTable.forbidden.status,
      errorTable.kicked.status,
      errorTable.banned.status,
      errorTable.not_found.status,
    ]).toEqual([403, 403, 403, 404]);
  });

  test.each(errorCodes)('%s goes over the wire as its schema says', (code) => {
    const error = wireError({ code, retryAfterMs: 10.2, path: 'privacy.allowInvites' });
    expect(errorBodySchema.parse({ error })).toEqual({
      error: { code, message: errorTable[code].message, retryAfterMs: 11, path: 'privacy.allowInvites' },
    });
  });

  test('what a refusal does not say is not sent', () => {
    expect(Object.keys(wireError({ code: 'forbidden' }))).toEqual(['code', 'message']);
    expect(refuse('rate_limited', { retryAfterMs: 5 })).toEqual({
      ok: false,
      refusal: { code: 'rate_limited', retryAfterMs: 5 },
    });
  });

  test('SE-4 nothing but what a refusal is meant to say reaches the wire', () => {
    const refusal = { code: 'internal', secret: 'stack trace' } as const;
    expect(JSON.stringify(wireError(refusal))).not.toContain('stack trace');
  });
});
