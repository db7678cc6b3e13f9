import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { sharedSettings } from '../src/config-shared.ts';
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
      config: {
        port: 3000,
        host: '0.0.0.0',
        mediaPort: 40_000,
        stunUrls: [],
        turn: undefined,
        matchFilters: [],
        callsRelayOnly: false,
        callsSfuFallback: false,
        plans: false,
        limits: defaultLimits,
      },
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
      STUN_URLS: 'stun:stun.example, stuns:stun.example:5349',
      RANDOM_CALLS_FILTERS: 'age, reputation,age',
      CALLS_RELAY_ONLY: 'true',
      CALLS_SFU_FALLBACK: 'true',
      PLANS: 'true',
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
        stunUrls: ['stun:stun.example', 'stuns:stun.example:5349'],
        matchFilters: ['reputation', 'age'],
        callsRelayOnly: true,
        callsSfuFallback: true,
        plans: true,
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
      STUN_URLS: 'stun:stun.example,turn:turn.example',
      TURN_URLS: 'stun:stun.example',
      RANDOM_CALLS_FILTERS: 'age,height',
      CALLS_RELAY_ONLY: 'yes',
      CALLS_SFU_FALLBACK: '1',
      PLANS: 'TRUE',
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
      'STUN_URLS',
      'TURN_URLS',
      'RANDOM_CALLS_FILTERS',
      'CALLS_RELAY_ONLY',
      'CALLS_SFU_FALLBACK',
      'PLANS',
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

  it('OP-4 refuses addresses at which no other node can be told to come', () => {
    for (const address of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0']) {
      const internal = address.includes(':') ? `[${address}]:3001` : `${address}:3001`;
      expect(problemsOf({ PIPE_ADDRESS: address }), address).toEqual([expect.stringMatching(/^PIPE_ADDRESS must be/)]);
      expect(problemsOf({ INTERNAL_ADDRESS: internal }), internal).toEqual([
        expect.stringMatching(/^INTERNAL_ADDRESS must name the one address/),
      ]);
    }
    expect(problemsOf({ PIPE_ADDRESS: '::1', INTERNAL_ADDRESS: '[::1]:3001' })).toEqual([]);
  });

  it('OP-4 gives the other nodes a port of their own', () => {
    const REDIS_URL = 'redis://127.0.0.1:6379';
    expect(problemsOf({ REDIS_URL, PORT: '3001', INTERNAL_ADDRESS: '127.0.0.1:3001' })).toEqual([
      expect.stringMatching(/^INTERNAL_ADDRESS has the port of PORT/),
    ]);
    expect(problemsOf({ REDIS_URL, WORKERS: '2', INTERNAL_ADDRESS: '127.0.0.1:40001' })).toEqual([
      expect.stringMatching(/^INTERNAL_ADDRESS has a port of the media workers/),
    ]);
    // Port 0 takes a free one, for both.
    expect(problemsOf({ REDIS_URL, PORT: '0', INTERNAL_ADDRESS: '127.0.0.1:0' })).toEqual([]);
  });

  it('OP-4 tells what nodes have to be set to alike from what is a node’s own', () => {
    const settingsOf = (env: Record<string, string>) => {
      const loaded = loadConfig(env);
      return loaded.ok ? Object.fromEntries(sharedSettings(loaded.config)) : loaded.problems;
    };
    expect(settingsOf({ PORT: '1', NODE_NAME: 'a', MEDIA_ADDRESS: '::1', WORKERS: '3', LOG_LEVEL: 'warn' })).toEqual(
      {},
    );
    expect(settingsOf({ LIMIT_ROOMS_PER_DAY: String(defaultLimits.roomsPerDay), PLANS: 'false' })).toEqual({});
    const set = {
      PUBLIC_URL: 'https://a.example',
      ALLOWED_ORIGINS: 'https://b.example',
      STUN_URLS: 'stun:stun.example',
      TURN_URLS: 'turn:turn.example',
      TURN_SECRET: 'hush, sixteen bytes',
      RANDOM_CALLS_FILTERS: 'reputation,age',
      CALLS_RELAY_ONLY: 'true',
      CALLS_SFU_FALLBACK: 'true',
      PLANS: 'true',
      LIMIT_ROOMS_PER_DAY: '7',
    };
    expect(settingsOf(set)).toEqual(set);
  });

  it('SE-4 refuses the secrets of an example, which everybody knows', () => {
    const problems = problemsOf({
      AUTH_SECRET: 'CHANGE-ME-to-a-long-random-text-of-32-bytes-or-more',
      REDIS_URL: 'redis://:CHANGE-ME@127.0.0.1:6379',
      TURN_URLS: 'turn:turn.example',
      TURN_SECRET: 'CHANGE-ME-to-a-long-random-text',
    });
    for (const name of ['AUTH_SECRET', 'REDIS_URL', 'TURN_SECRET'])
      expect(problems, name).toContain(`${name} is still that of an example; \`openssl rand -hex 32\` makes a secret`);
  });

  it('RD-12 makes the relay the rule only where there is one', () => {
    const relay = { TURN_URLS: 'turn:turn.example', TURN_SECRET: 'hush, sixteen bytes' };
    expect(problemsOf({ CALLS_RELAY_ONLY: 'true' })).toEqual([
      'CALLS_RELAY_ONLY needs a relay: set TURN_URLS and TURN_SECRET',
    ]);
    expect(problemsOf({ CALLS_RELAY_ONLY: 'true', STUN_URLS: 'stun:stun.example' })).toHaveLength(1);
    expect(problemsOf({ CALLS_RELAY_ONLY: 'true', ...relay })).toEqual([]);
    expect(problemsOf({ CALLS_RELAY_ONLY: 'false' })).toEqual([]);
  });

  it('RD-4 tells servers of STUN and of TURN apart', () => {
    const problemsAs = (name: string, url: string): string[] =>
      problemsOf({ [name]: url, TURN_SECRET: 'hush, sixteen bytes' }).filter((problem) => problem.includes(url));
    const asBoth = (url: string) => [problemsAs('STUN_URLS', url).length, problemsAs('TURN_URLS', url).length];
    for (const url of ['turn:a.example', 'turns:a.example:443?transport=tcp', 'turn:[2001:db8::5]:3478'])
      expect(asBoth(url), url).toEqual([1, 0]);
    for (const url of ['stun:a.example', 'stuns:a.example:443', 'stun:[2001:db8::5]:3478'])
      expect(asBoth(url), url).toEqual([0, 1]);
    // RFC 7064: only TURN has a transport to choose. No URL has two slashes, and browsers refuse one that has.
    for (const url of [
      'stun:a.example?transport=udp',
      'turn:a.example?transport=tls',
      'turn://a.example',
      'stun://a.example',
    ])
      expect(asBoth(url), url).toEqual([1, 1]);
    for (const url of ['https://a.example', 'stun:', 'turn:a.example:port', 'a.example', 'turn:user@a.example'])
      expect(asBoth(url), url).toEqual([1, 1]);
  });

  it('RQ-5 RD-3 RD-5 refuses times of calls that make no sense together', () => {
    expect(problemsOf({ LIMIT_QUEUE_WAIT_MS: '3000', LIMIT_LANGUAGE_HOLD_MS: '3000' })).toEqual([
      'LIMIT_LANGUAGE_HOLD_MS must be less than LIMIT_QUEUE_WAIT_MS',
      'LIMIT_REPEAT_HOLD_MS must be less than LIMIT_QUEUE_WAIT_MS',
    ]);
    expect(problemsOf({ LIMIT_CONNECT_MS: '1000', LIMIT_RESUME_MS: '1000', LIMIT_SFU_CONNECT_MS: '1000' })).toEqual(
      ['CONNECT_MS', 'SFU_CONNECT_MS', 'RESUME_MS'].map(
        (name) => `LIMIT_UNAVAILABLE_MS must be less than LIMIT_${name}`,
      ),
    );
    expect(problemsOf({ LIMIT_CALL_MAX_MS: '8000' })).toEqual(['LIMIT_CONNECT_MS must be less than LIMIT_CALL_MAX_MS']);
    expect(problemsOf({ LIMIT_CALL_MESSAGES_KEPT_MS: '86400001' })).toEqual([
      'LIMIT_GUEST_CALLS_KEPT_MS must be at least LIMIT_CALL_MESSAGES_KEPT_MS',
    ]);
  });

  it('RQ-3 RD-8 minds the times of filters and plans only where those are on', () => {
    const wait = { LIMIT_QUEUE_WAIT_MS: '15000' };
    expect(problemsOf(wait)).toEqual([]);
    expect(problemsOf({ ...wait, RANDOM_CALLS_FILTERS: 'age' })).toEqual([
      'LIMIT_FILTER_RELAX_MS must be less than LIMIT_QUEUE_WAIT_MS',
    ]);
    const lengths = { LIMIT_FREE_CALL_MS: '2400000', LIMIT_CALL_WARNING_MS: '2400000' };
    expect(problemsOf(lengths)).toEqual([]);
    expect(problemsOf({ ...lengths, PLANS: 'true' })).toEqual([
      'LIMIT_CALL_WARNING_MS must be less than LIMIT_FREE_CALL_MS',
      'LIMIT_CALL_WARNING_MS must be less than LIMIT_CALL_EXTENSION_MS',
      'LIMIT_PREMIUM_CALL_MS must be at least LIMIT_FREE_CALL_MS',
    ]);
    expect(problemsOf({ LIMIT_CALL_MAX_MS: '600000', PLANS: 'true' })).toEqual([
      'LIMIT_CALL_MAX_MS must be at least LIMIT_PREMIUM_CALL_MS',
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
      STUN_URL: 'STUN_URLS',
      RANDOM_CALL_FILTERS: 'RANDOM_CALLS_FILTERS',
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
