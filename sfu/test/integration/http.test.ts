import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createCertificate } from '../../bench/lib/certificate.ts';
import { cleanUp, guest, request, startServer } from '../support/server.ts';

afterEach(cleanUp);

describe('rooms over HTTP', () => {
  it('RM-1 creates a room with defaults and answers it whole', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const created = await ana.http('POST', '/api/rooms', { title: ' Tea ', tags: ['a', 'b'], category: 'casual' });
    expect(created).toMatchObject({
      status: 201,
      body: {
        title: 'Tea',
        type: 'public',
        maxParticipants: 500,
        maxSpeakers: 10,
        permissions: { anyoneCanSpeak: false, allowRecording: false, allowHandRaise: true },
        privacy: { requireApproval: false, hideParticipants: false, allowInvites: true },
        status: 'active',
        hostId: ana.userId,
      },
    });
  });

  it('RM-1 SE-1 refuses what is not valid, with the path', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const cases: [object, string][] = [
      [{}, 'title'],
      [{ title: '' }, 'title'],
      [{ title: 'x'.repeat(101) }, 'title'],
      [{ title: 'x', colour: 'red' }, 'colour'],
      [{ title: 'x', tags: ['1', '2', '3', '4', '5', '6'] }, 'tags'],
      [{ title: 'x', tags: ['x'.repeat(25)] }, 'tags.0'],
      [{ title: 'x', maxParticipants: 10_001 }, 'maxParticipants'],
      [{ title: 'x', maxSpeakers: 31 }, 'maxSpeakers'],
      [{ title: 'x', language: 'not a language' }, 'language'],
      [{ title: 'x', permissions: { anyoneCanSpeak: 'yes' } }, 'permissions.anyoneCanSpeak'],
      [{ title: 'x', privacy: { secret: true } }, 'privacy.secret'],
      [{ title: 'x', type: 'hidden' }, 'type'],
    ];
    for (const [body, path] of cases) {
      const refused = await ana.http('POST', '/api/rooms', body);
      expect(refused, JSON.stringify(body)).toMatchObject({ status: 400, body: { error: { code: 'invalid', path } } });
    }
    expect((await ana.http('POST', '/api/rooms', 'not json')).status).toBe(400);
    const large = await ana.http('POST', '/api/rooms', { title: 'x', description: 'x'.repeat(20_000) });
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'too_large' } } });
    expect((await request(server, { method: 'POST', path: '/api/rooms', body: { title: 'x' } })).status).toBe(401);
  });

  it('RM-2 limits rooms a day by person, and rooms by node', async () => {
    const server = await startServer({ env: { LIMIT_ROOMS_PER_NODE: '6' } });
    const ana = await guest(server, 'Ana');
    const created = await Promise.all(Array.from({ length: 7 }, () => ana.http('POST', '/api/rooms', { title: 'x' })));
    expect(created.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 201, 201, 429, 429]);
    const refused = created.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ error: { code: 'rate_limited', retryAfterMs: expect.any(Number) } });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(80_000);
    const ben = await guest(server, 'Ben');
    expect((await ben.http('POST', '/api/rooms', { title: 'x' })).status).toBe(201);
    expect(await ben.http('POST', '/api/rooms', { title: 'x' })).toMatchObject({
      status: 503,
      body: { error: { code: 'node_full' } },
    });
  });

  it('lists rooms in pages, by category, and one by one', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const ids: string[] = [];
    for (const category of ['tech', 'music', 'tech'] as const)
      ids.push(await ana.createRoom({ title: category, category }));
    const first = await request(server, { method: 'GET', path: '/api/rooms?limit=2' });
    const body = first.body as { rooms: { roomId: string }[]; nextCursor: string };
    expect(body.rooms).toHaveLength(2);
    const second = await request(server, { method: 'GET', path: `/api/rooms?limit=2&cursor=${body.nextCursor}` });
    const rest = second.body as { rooms: { roomId: string }[]; nextCursor: null };
    expect(rest.nextCursor).toBeNull();
    expect([...body.rooms, ...rest.rooms].map((it) => it.roomId).toSorted()).toEqual(ids.toSorted());
    const tech = await request(server, { method: 'GET', path: '/api/rooms/category/tech' });
    expect((tech.body as { rooms: unknown[] }).rooms).toHaveLength(2);
    expect((await request(server, { method: 'GET', path: '/api/rooms/category/cooking' })).status).toBe(400);
    expect((await request(server, { method: 'GET', path: '/api/rooms?cursor=rubbish' })).status).toBe(400);
    expect((await request(server, { method: 'GET', path: '/api/rooms?limit=1000' })).status).toBe(400);
    expect((await request(server, { method: 'GET', path: `/api/rooms/${ids[0]}` })).body).toMatchObject({
      title: 'tech',
      stageCount: 0,
    });
    expect((await request(server, { method: 'GET', path: '/api/rooms/none' })).status).toBe(400);
    expect((await request(server, { method: 'GET', path: `/api/rooms/${'A'.repeat(22)}` })).status).toBe(404);
  });

  it('SE-8 keeps private and friends-only rooms from those who may not know of them', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const eve = await guest(server, 'Eve');
    for (const type of ['private', 'friends-only'] as const) {
      const roomId = await ana.createRoom({ type });
      const host = await ana.enter(roomId);
      expect(host.state.self.role).toBe('host');
      const socket = await eve.connect();
      expect(await socket.codeOf('room:join', { roomId })).toBe('not_found');
      expect(await socket.codeOf('room:sync', { roomId })).toBe('not_found');
      expect(await socket.codeOf('room:hand-raise', { roomId })).toBe('not_found');
      expect(await socket.codeOf('room:end', { roomId })).toBe('not_found');
      expect(await socket.codeOf('room:kick', { roomId, userId: ana.userId })).toBe('not_found');
      expect(await socket.codeOf('media:listen', { roomId })).toBe('not_found');
      for (const path of ['', '/participants', '/moderation']) {
        expect((await eve.http('GET', `/api/rooms/${roomId}${path}`)).status, path).toBe(404);
      }
      expect((await eve.http('POST', `/api/rooms/${roomId}/join`)).status).toBe(404);
      expect((await eve.http('DELETE', `/api/rooms/${roomId}`)).status).toBe(404);
      expect((await eve.http('PATCH', `/api/rooms/${roomId}`, { title: 'mine' })).status).toBe(404);
      expect((await ana.http('GET', `/api/rooms/${roomId}`)).status).toBe(200);
      expect((await request(server, { method: 'GET', path: '/api/rooms' })).body).toMatchObject({ rooms: [] });
      await host.do('room:end', { roomId });
      expect(await socket.codeOf('room:join', { roomId })).toBe('not_found');
    }
  });

  it('says whether and how one may join, without a seat', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const ben = await guest(server, 'Ben');
    const roomId = await ana.createRoom();
    expect(await ana.http('POST', `/api/rooms/${roomId}/join`)).toMatchObject({
      status: 200,
      body: { role: 'host', socketUrl: server.url, roomId },
    });
    expect(await ben.http('POST', `/api/rooms/${roomId}/join`)).toMatchObject({
      status: 200,
      body: { role: 'listener' },
    });
    expect((await ben.http('GET', `/api/rooms/${roomId}`)).body).toMatchObject({ listenerCount: 0 });
    expect((await request(server, { method: 'POST', path: `/api/rooms/${roomId}/join` })).status).toBe(401);
    const open = await ana.createRoom({ permissions: { anyoneCanSpeak: true } });
    expect((await ben.http('POST', `/api/rooms/${open}/join`)).body).toMatchObject({ role: 'speaker' });
    const gated = await ana.createRoom({ privacy: { requireApproval: true } });
    expect(await ben.http('POST', `/api/rooms/${gated}/join`)).toMatchObject({
      status: 403,
      body: { error: { code: 'approval_required' } },
    });
  });

  it('acts on seats that exist, by the same rules as over the socket', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const ben = await guest(server, 'Ben');
    const roomId = await ana.createRoom();
    expect((await ana.http('POST', `/api/rooms/${roomId}/raise-hand`)).body).toMatchObject({
      error: { code: 'not_in_room' },
    });
    await ana.enter(roomId);
    const socket = await ben.enter(roomId);
    const at = (path: string) => `/api/rooms/${roomId}/${path}`;
    expect((await ben.http('POST', at('raise-hand'))).status).toBe(200);
    expect(await ben.http('POST', at('kick'), { userId: ana.userId })).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden' } },
    });
    expect((await ana.http('POST', at('promote'), { userId: ben.userId })).status).toBe(200);
    await socket.next('room:promoted');
    expect((await ana.http('POST', at('mute'), { userId: ben.userId, locked: true, reason: 'noise' })).status).toBe(
      200,
    );
    await socket.next('room:muted', ({ muted }) => muted?.locked === true);
    expect((await ana.http('POST', at('demote'), { userId: ben.userId })).status).toBe(200);
    expect((await ana.http('POST', at('invite-to-speak'), { userId: ben.userId })).status).toBe(200);
    await socket.next('room:invited-to-speak');
    expect((await ana.http('PATCH', `/api/rooms/${roomId}`, { title: 'New' })).status).toBe(200);
    await socket.next('room:updated', ({ info }) => info.title === 'New');
    expect((await ben.http('PATCH', `/api/rooms/${roomId}`, { title: 'Mine' })).status).toBe(403);
    expect((await ana.http('POST', at('kick'), { userId: ben.userId, reason: 'x', more: 1 })).body).toMatchObject({
      error: { code: 'invalid', path: 'more' },
    });
    expect((await ana.http('POST', at('kick'), { userId: ben.userId })).status).toBe(200);
    await socket.next('room:kicked');
    expect((await ana.http('POST', at('leave'))).status).toBe(200);
    expect((await ana.http('DELETE', `/api/rooms/${roomId}`)).status).toBe(200);
    expect((await ana.http('GET', `/api/rooms/${roomId}`)).status).toBe(404);
  });

  it('describes itself, says that it is alive and ready, and sends strict headers', async () => {
    const server = await startServer();
    const docs = await request(server, { method: 'GET', path: '/api/docs/json' });
    expect(Object.keys((docs.body as { paths: object }).paths)).toEqual(
      expect.arrayContaining(['/api/auth/guest', '/api/rooms', '/api/rooms/{id}', '/api/rooms/{id}/kick']),
    );
    expect((await request(server, { method: 'GET', path: '/healthz' })).body).toEqual({ status: 'ok' });
    expect(await request(server, { method: 'GET', path: '/readyz' })).toMatchObject({
      status: 200,
      body: { status: 'ready' },
    });
    const { headers } = await request(server, { method: 'GET', path: '/api/rooms' });
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect((await request(server, { method: 'GET', path: '/metrics' })).status).toBe(404);
    expect((await request(server, { method: 'GET', path: '/metrics', address: '127.0.0.1' })).body).toContain(
      'rostrum_rooms',
    );
    expect(await request(server, { method: 'GET', path: '/nothing' })).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found' } },
    });
  });

  it('serves the pages: itself for every address that is one, hashed files for ever, nothing for the API', async () => {
    const pages = await mkdtemp(join(tmpdir(), 'rostrum-pages-'));
    await mkdir(join(pages, 'assets'));
    await writeFile(join(pages, 'index.html'), '<title>Rostrum</title>');
    await writeFile(join(pages, 'assets', 'main-1a2b.js'), '0');
    const server = await startServer({ pages });
    const get = (path: string, accept = 'text/html') => request(server, { method: 'GET', path, headers: { accept } });
    for (const path of ['/', '/rooms/AAAAAAAAAAAAAAAAAAAAAA', '/new']) {
      const page = await get(path);
      expect(page, path).toMatchObject({ status: 200, body: '<title>Rostrum</title>' });
      expect(page.headers.get('cache-control')).toBe('no-cache');
    }
    expect((await get('/assets/main-1a2b.js')).headers.get('cache-control')).toContain('immutable');
    await writeFile(join(pages, 'assets', 'main-1a2b.js.gz'), gzipSync('0'));
    const compressed = await get('/assets/main-1a2b.js', '*/*');
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    expect(compressed).toMatchObject({ status: 200, body: '0' });
    expect((await get('/assets/gone.js', '*/*')).status).toBe(404);
    expect((await get('/api/nothing')).status).toBe(404);
    expect((await get('/../package.json', '*/*')).status).toBe(404);
    await rm(pages, { recursive: true });
  });

  it('SE-2 limits requests and sign-ins by address', async () => {
    const server = await startServer({
      env: { LIMIT_HTTP_REQUESTS_PER_MINUTE: '5', LIMIT_GUESTS_PER_ADDRESS_HOUR: '2' },
    });
    const from = (address: string, path: string, body?: object) =>
      request(server, { method: body ? 'POST' : 'GET', path, body, address });
    for (let round = 0; round < 2; round += 1)
      expect((await from('203.0.113.7', '/api/auth/guest', { displayName: 'A' })).status).toBe(200);
    expect((await from('203.0.113.7', '/api/auth/guest', { displayName: 'A' })).status).toBe(429);
    for (let round = 0; round < 5; round += 1) expect((await from('203.0.113.8', '/api/rooms')).status).toBe(200);
    expect((await from('203.0.113.8', '/api/rooms')).status).toBe(429);
    expect((await from('203.0.113.9', '/api/rooms')).status).toBe(200);
  });

  it('OP-8 SE-4 serves HTTPS and secure sockets from certificate files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rostrum-tls-'));
    const { der, privateKey } = createCertificate();
    const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
    await writeFile(join(folder, 'cert.pem'), pem);
    await writeFile(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const env = { TLS_CERT_FILE: join(folder, 'cert.pem'), TLS_KEY_FILE: join(folder, 'key.pem') };
    const server = await startServer({ env });
    await rm(folder, { recursive: true });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      // The certificate is the test's own, so nobody vouches for it.
      get(`${server.url}/socket.io/?EIO=4&transport=polling`, { rejectUnauthorized: false }, resolve).on(
        'error',
        reject,
      );
    });
    answer.resume();
    expect(server.url).toMatch(/^https:/);
    expect(answer.statusCode).toBe(200);
    const page = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${server.url}/api/rooms`, { rejectUnauthorized: false }, resolve).on('error', reject);
    });
    page.resume();
    expect(page.headers['strict-transport-security']).toContain('max-age');
  });

  it('OP-8 believes forwarded addresses only from trusted proxies', async () => {
    const server = await startServer({ env: { TRUSTED_PROXIES: '', LIMIT_HTTP_REQUESTS_PER_MINUTE: '3' } });
    for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) {
      expect((await request(server, { method: 'GET', path: '/api/rooms', address })).status).toBe(200);
    }
    expect((await request(server, { method: 'GET', path: '/api/rooms', address: '203.0.113.4' })).status).toBe(429);
  });
});
