import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authSecret, authSecretBytes } from '../../src/people/auth-secret.ts';

const run = promisify(execFile);

describe('the secret', () => {
  let folder: string;
  let dataDir: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rostrum-secret-'));
    dataDir = join(folder, 'deep', 'data');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made at the first start, kept, and readable by its owner alone', async () => {
    const secret = authSecret({ configured: undefined, dataDir });
    expect(secret.length).toBeGreaterThanOrEqual(authSecretBytes);
    expect(authSecret({ configured: undefined, dataDir })).toEqual(secret);
    expect((await stat(join(dataDir, 'auth-secret'))).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect(await readdir(dataDir), 'no draft stays').toEqual(['auth-secret']);
    const other = authSecret({ configured: undefined, dataDir: join(folder, 'other') });
    expect(other).not.toEqual(secret);
  });

  it('is the configured one where there is one, and then no file is made', async () => {
    const configured = 'é'.repeat(32);
    expect(authSecret({ configured, dataDir: folder })).toEqual(Buffer.from(configured));
    expect(await readdir(folder)).toEqual([]);
  });

  it('is one for all processes that start together', async () => {
    const module = new URL('../../src/people/auth-secret.ts', import.meta.url).href;
    // Each process goes through the same folders at the same moments, so that they meet on the way.
    const script = `import { authSecret } from ${JSON.stringify(module)};
      const [folder, start] = process.argv.slice(1);
      const secrets = [];
      for (let round = 0; round < 40; round += 1) {
        while (Date.now() < Number(start) + 5 * round);
        secrets.push(Buffer.from(authSecret({ configured: undefined, dataDir: folder + round })).toString());
      }
      console.log(secrets.join());`;
    const args = ['--input-type=module', '-e', script, join(folder, 'data'), String(Date.now() + 1500)];
    const runs = await Promise.all(Array.from({ length: 3 }, () => run(process.execPath, args)));
    const kept = await Promise.all(
      Array.from({ length: 40 }, (_, round) => readFile(join(folder, `data${round}`, 'auth-secret'), 'utf8')),
    );
    const expected = kept.map((text) => text.trim()).join();
    expect(runs.map(({ stdout }) => stdout.trim())).toEqual([expected, expected, expected]);
    expect(await readdir(join(folder, 'data0')), 'no draft stays').toEqual(['auth-secret']);
  });

  it('is refused in words, without being told, when the file holds too little', async () => {
    await writeFile(join(folder, 'auth-secret'), 'hush-hush\n');
    const open = () => authSecret({ configured: undefined, dataDir: folder });
    expect(open).toThrow(/auth-secret holds 9 bytes, but a secret has at least 32/);
    expect(open).not.toThrow(/hush/);
  });
});
