import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { configTable, withTable } from '../src/config-table.ts';

const problemsOf = (env: Record<string, string>): string[] => {
  const loaded = loadConfig(env);
  return loaded.ok ? [] : loaded.problems;
};

describe('configuration', () => {
  it('has a default for everything', () => {
    const loaded = loadConfig({});
    expect(loaded).toMatchObject({
      ok: true,
      config: { port: 3000, host: '0.0.0.0', mediaPort: 40_000, limits: defaultLimits },
    });
    expect(loadConfig({ PORT: '', MEDIA_ADDRESS: '  ' })).toEqual(loaded);
  });

  it('takes what is set', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rostrum-config-'));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    for (const file of [certFile, keyFile]) writeFileSync(file, 'x');
    const loaded = loadConfig({
      MEDIA_ADDRESS: '203.0.113.5, 2001:db8::5',
      TRUSTED_PROXIES: '10.0.0.0/8,::1',
      ALLOWED_ORIGINS: 'https://a.example',
      TURN_URLS: 'turn:turn.example:3478?transport=udp,turns:turn.example:443',
      TURN_SECRET: 'hush, sixteen bytes',
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
      LIMIT_ROOMS_PER_DAY: '7',
      LIMIT_SPEAKING_ON_DBOV: '-40',
    });
    await rm(folder, { recursive: true });
    expect(loaded).toMatchObject({
      ok: true,
      config: {
        mediaAddresses: ['203.0.113.5', '2001:db8::5'],
        trustedProxies: ['10.0.0.0/8', '::1'],
        allowedOrigins: ['https://a.example'],
        turn: {
          urls: ['turn:turn.example:3478?transport=udp', 'turns:turn.example:443'],
          secret: 'hush, sixteen bytes',
        },
        tls: { certFile, keyFile },
        limits: { roomsPerDay: 7, speakingOnDbov: -40 },
      },
    });
  });

  it('says everything that is wrong at once, and no secret', () => {
    const problems = problemsOf({
      PORT: 'http',
      HOST: 'somewhere',
      PUBLIC_URL: 'https://a.example/path',
      MEDIA_PORT: '80',
      MEDIA_ADDRESS: 'example.org',
      WORKERS: '0',
      AUTH_SECRET: 'short secret',
      ALLOWED_ORIGINS: 'a.example',
      TRUSTED_PROXIES: '10.0.0.0/99',
      TLS_CERT_FILE: '/nowhere/cert.pem',
      TURN_SECRET: 'alone, but long enough',
      LOG_LEVEL: 'loud',
      LIMIT_ROOMS_PER_DAY: '-1',
      LIMIT_ROOMS_A_DAY: '5',
    });
    for (const name of [
      'PORT',
      'HOST',
      'PUBLIC_URL',
      'MEDIA_PORT',
      'MEDIA_ADDRESS',
      'WORKERS',
      'AUTH_SECRET',
      'ALLOWED_ORIGINS',
      'TRUSTED_PROXIES',
      'TLS_CERT_FILE',
      'LOG_LEVEL',
      'LIMIT_ROOMS_PER_DAY',
      'LIMIT_ROOMS_A_DAY',
    ]) {
      expect(problems.filter((problem) => problem.startsWith(`${name} `)).length, name).toBeGreaterThan(0);
    }
    expect(problems).toContain('TURN_URLS and TURN_SECRET go together: set both or neither');
    expect(problems).toContain('TLS_CERT_FILE and TLS_KEY_FILE go together: set both or neither');
    expect(problems.join()).not.toContain('short secret');
  });

  it('refuses what makes no sense together', () => {
    expect(problemsOf({ MEDIA_PORT: '65535', WORKERS: '2' })).toHaveLength(1);
    expect(problemsOf({ PORT: '40001', MEDIA_PORT: '40000', WORKERS: '4' })).toHaveLength(1);
    expect(problemsOf({ LIMIT_AUDIENCE_LISTED_MAX: '50' })).toEqual([
      'LIMIT_AUDIENCE_LISTED_AGAIN must be less than LIMIT_AUDIENCE_LISTED_MAX',
    ]);
    expect(problemsOf({ LIMIT_TOKEN_LIFETIME_MS: '60000' })).toHaveLength(1);
    expect(problemsOf({ LIMIT_GUEST_IDLE_MS: '3600000' })).toEqual([
      'LIMIT_GUEST_IDLE_MS must be at least LIMIT_TOKEN_LIFETIME_MS',
    ]);
  });

  it('OP-8 trusts no network that is everybody', () => {
    expect(problemsOf({ TRUSTED_PROXIES: '0.0.0.0/0' })).toHaveLength(1);
    expect(problemsOf({ TRUSTED_PROXIES: '10.0.0.0/8,::/0' })).toHaveLength(1);
  });

  it('says what a misspelt variable was meant to be, and leaves those of others alone', () => {
    const meant = {
      ALLOWED_ORIGIN: 'ALLOWED_ORIGINS',
      LOGLEVEL: 'LOG_LEVEL',
      media_port: 'MEDIA_PORT',
      TURN_URL: 'TURN_URLS',
    };
    for (const [name, known] of Object.entries({ ...meant, LIMIT_ROOMS_PER_DAYS: 'LIMIT_ROOMS_PER_DAY' }))
      expect(problemsOf({ [name]: 'x' })).toEqual([`${name} is not a variable that there is; did you mean ${known}?`]);
    expect(problemsOf({ LIMIT_COFFEE: '5', LIMIT_TEA: '' })).toEqual([
      'LIMIT_COFFEE is not a limit that there is; the table in README.md lists them',
    ]);
    const others = [
      'HOME',
      'HOSTNAME',
      'SSL_CERT_FILE',
      'SSL_CERT_DIR',
      'MEDIA_HOST',
      'WORKER_ID',
      'DATA',
      'POST',
      'PORTS',
    ];
    expect(problemsOf(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual([]);
  });

  it('is described in README.md as it is', () => {
    const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
    expect(withTable(readme, configTable())).toBe(readme);
    expect(() => withTable('no markers', '')).toThrow(/config:start/);
  });
});
