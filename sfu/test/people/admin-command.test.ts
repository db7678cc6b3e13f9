import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Accounts } from '../../src/people/accounts.ts';
import { authSecret } from '../../src/people/auth-secret.ts';
import { createTokens } from '../../src/people/tokens.ts';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const command = fileURLToPath(new URL('../../src/cli/admin.ts', import.meta.url));
const hour = 60 * 60 * 1000;

type Ran = { code: number; stdout: string; stderr: string };

describe('the command for administrators', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'rostrum-admin-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const admin = (args: string[] = [], env: Record<string, string> = {}): Promise<Ran> =>
    new Promise((resolve) => {
      const options = { env: { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, ...env } };
      execFile(process.execPath, [command, ...args], options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });

  it('OP-7 prints a link that makes an administrator, once, while the server has the records open', async () => {
    const records = openSqliteRecords({ path: join(dataDir, 'rostrum.sqlite') });
    const secret = authSecret({ configured: undefined, dataDir });
    const tokens = createTokens({ secret, clock: systemClock, lifetimeMs: hour });
    const limits = { guestIdleMs: hour, adminClaimMs: hour };
    const accounts = new Accounts({ records, tokens, clock: systemClock, limits });
    try {
      const { code, stdout, stderr } = await admin([], { PUBLIC_URL: 'https://rooms.example' });
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Good once, until 20.*Z\.\n$/) });
      const [, claim = ''] = /^https:\/\/rooms\.example\/claim\/([\w-]{22})\n$/.exec(stdout) ?? [];
      const newcomer = { code: claim, displayName: 'Ana', traces: {} };
      expect(await accounts.claimAdmin(newcomer)).toMatchObject({ ok: true, value: { user: { kind: 'admin' } } });
      expect(await accounts.claimAdmin(newcomer)).toMatchObject({ ok: false });
    } finally {
      await records.close();
    }
  });

  it('OP-7 explains itself', async () => {
    const { code, stdout } = await admin(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/one-time link/);
  });

  it('OP-7 fails in words when the configuration is wrong or the records cannot be opened', async () => {
    const wrong = await admin([], { PORT: 'x', AUTH_SECRET: 'short' });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/^PORT must be .*\nAUTH_SECRET must have at least 32 bytes\n$/);
    const nowhere = await admin([], { DATA_DIR: command });
    expect(nowhere).toMatchObject({ code: 1, stdout: '' });
    expect(nowhere.stderr).toMatch(/^The records in .* cannot be opened: /);
    expect(nowhere.stderr).not.toMatch(/\n\s+at /);
  });
});
