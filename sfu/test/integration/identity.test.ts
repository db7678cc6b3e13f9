import { createHmac } from 'node:crypto';
import { handshakeSchema } from '@rostrum/shared/protocol/session.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, closed, guest, openSocket, refusal, request, startServer } from '../support/server.ts';

afterEach(cleanUp);

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const payloadOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('identity over the edges', () => {
  it('ID-1 signs a guest in with a trimmed name and answers a token', async () => {
    const server = await startServer();
    const answer = await request(server, { method: 'POST', path: '/api/auth/guest', body: { displayName: '  Ana  ' } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user: { displayName: 'Ana', kind: 'guest' } });
    for (const displayName of ['', '   ', 'x'.repeat(41), 'a\u0007b', 7, null]) {
      const refused = await request(server, { method: 'POST', path: '/api/auth/guest', body: { displayName } });
      expect(refused).toMatchObject({ status: 400, body: { error: { code: 'invalid', path: 'displayName' } } });
    }
  });

  it('ID-2 renews a token while it is valid, for the same person', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const renewed = await request(server, { method: 'POST', path: '/api/auth/refresh', body: { token: ana.token } });
    expect(renewed).toMatchObject({ status: 200, body: { user: { userId: ana.userId, displayName: 'Ana' } } });
    const refused = await request(server, {
      method: 'POST',
      path: '/api/auth/refresh',
      body: { token: 'no.token.at.all' },
    });
    expect(refused).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
  });

  it('ID-4 refuses sockets without a valid token: none, another secret, another algorithm, expired', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const claims = payloadOf(ana.token);
    const signed = (header: object, payload: object, secret: string, hash = 'sha256') => {
      const body = `${encode(header)}.${encode(payload)}`;
      return `${body}.${createHmac(hash, secret).update(body).digest('base64url')}`;
    };
    const forged = [
      '',
      'rubbish',
      `${encode({ alg: 'none' })}.${encode(claims)}.`,
      signed({ alg: 'HS256', typ: 'JWT' }, claims, 'another secret'),
      signed({ alg: 'HS512', typ: 'JWT' }, claims, 'another secret', 'sha512'),
      `${ana.token.slice(0, -3)}AAA`,
    ];
    for (const token of forged) expect(await refusal(await openSocket(ana, { token }))).toBe('unauthorized');
    expect(await refusal(await openSocket(ana))).toBe('connected');
  });

  it('ID-4 tells a client of another protocol version to reload', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    expect(await refusal(await openSocket(ana, { protocol: 999 }))).toBe('unsupported_protocol');
    expect(await refusal(await openSocket(ana, { protocol: undefined }))).toBe('unsupported_protocol');
    expect(handshakeSchema.safeParse({ token: 'x', protocol: 1, more: 1 }).success).toBe(false);
  });

  it('ID-4 warns before a token expires, takes a renewed one on the same socket, and closes otherwise', async () => {
    const server = await startServer({ env: { LIMIT_TOKEN_LIFETIME_MS: '60000', LIMIT_TOKEN_WARNING_MS: '58000' } });
    const ana = await guest(server, 'Ana');
    const socket = await ana.connect();
    const { expiresAt } = await socket.next('session:expiring', undefined, 10_000);
    expect(expiresAt).toBe(ana.signedIn.expiresAt);
    const renewed = await request(server, { method: 'POST', path: '/api/auth/refresh', body: { token: ana.token } });
    const token = (renewed.body as { token: string; expiresAt: number }).token;
    const taken = await socket.do('session:renew', { token });
    expect(taken.expiresAt).toBeGreaterThan(expiresAt);
    const ben = await guest(server, 'Ben');
    expect(await socket.codeOf('session:renew', { token: ben.token })).toBe('unauthorized');
    expect(await socket.codeOf('session:renew', { token: 'rubbish' })).toBe('unauthorized');
    expect(socket.raw.connected).toBe(true);
  });

  it('ID-5 moves a seat to a second device and tells the first', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const roomId = await ana.createRoom();
    const phone = await ana.enter(roomId);
    const laptop = await ana.connect();
    const { resumed, state } = await laptop.do('room:join', { roomId });
    expect(resumed).toBe(false);
    expect(state.stage).toHaveLength(1);
    await phone.next('room:joined-elsewhere');
    expect(await phone.codeOf('room:mute-toggle', { roomId, muted: true })).toBe('not_in_room');
    expect(await laptop.codeOf('room:mute-toggle', { roomId, muted: true })).toBe('ok');
  });

  it('ID-5 gives one seat to two sockets that race for it', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const ben = await guest(server, 'Ben');
    const roomId = await ana.createRoom();
    const host = await ana.enter(roomId);
    const sockets = await Promise.all([ben.connect(), ben.connect(), ben.connect()]);
    await Promise.all(sockets.map((socket) => socket.do('room:join', { roomId })));
    const codes = await Promise.all(sockets.map((socket) => socket.codeOf('room:hand-raise', { roomId })));
    expect(codes.toSorted()).toEqual(['not_in_room', 'not_in_room', 'ok']);
    const { state } = await host.do('room:sync', { roomId });
    expect(state.audience.members?.map((member) => member.userId)).toEqual([ben.userId]);
  });

  it('OP-7 makes the first administrator by a link, once', async () => {
    const server = await startServer();
    const code = server.app.adminClaim ?? '';
    const claim = (body: object) => request(server, { method: 'POST', path: '/api/auth/claim-admin', body });
    expect((await claim({ code: 'A'.repeat(22), displayName: 'Eve' })).status).toBe(404);
    expect(await claim({ code, displayName: 'Olga' })).toMatchObject({
      status: 200,
      body: { user: { kind: 'admin' } },
    });
    expect((await claim({ code, displayName: 'Eve' })).status).toBe(404);
    await server.stop();
    const again = await startServer({ dataDir: server.dataDir });
    expect(again.app.adminClaim).toBeUndefined();
  });

  it('SE-4 refuses sockets and keeps cookies from pages of other origins', async () => {
    const server = await startServer({ env: { ALLOWED_ORIGINS: 'https://rooms.example' } });
    const polling = (origin: string) =>
      request(server, { method: 'GET', path: '/socket.io/?EIO=4&transport=polling', headers: { origin } });
    expect((await polling('https://evil.example')).status).toBe(403);
    expect((await polling('https://rooms.example')).status).toBe(200);
    expect((await polling(server.url)).status).toBe(200);
  });

  it('SE-2 lets one person hold a bounded number of sockets', async () => {
    const server = await startServer({ env: { LIMIT_SOCKETS_PER_USER: '2' } });
    const ana = await guest(server, 'Ana');
    const first = await ana.connect();
    await ana.connect();
    expect(await refusal(await openSocket(ana))).toBe('rate_limited');
    const gone = closed(first);
    first.close();
    await gone;
    await expect.poll(async () => refusal(await openSocket(ana))).toBe('connected');
  });
});
