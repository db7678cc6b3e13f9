import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApi } from './api.ts';
import { RostrumError } from './errors.ts';
import { roomId } from './test-support.ts';

type Seen = { method: string | undefined; url: string | undefined; authorization: string | undefined; body: string };

let server: Server;
let url = '';
let seen: Seen;
let answer: { status: number; body: string; headers?: Record<string, string> };

const respond = (request: IncomingMessage, response: ServerResponse): void => {
  let body = '';
  request.on('data', (part) => {
    body += part;
  });
  request.on('end', () => {
    seen = { method: request.method, url: request.url, authorization: request.headers.authorization, body };
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
};

beforeAll(async () => {
  server = createServer(respond);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address !== null) url = `http://127.0.0.1:${address.port}`;
});
afterAll(() => {
  server.close();
});

const failing = async (call: Promise<unknown>): Promise<RostrumError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RostrumError) return error;
  throw new Error('it did not fail as it should');
};

describe('the HTTP API', () => {
  test('ID-1 signs a guest in', async () => {
    answer = { status: 200, body: JSON.stringify({ token: 't', expiresAt: 1, user: {} }) };
    expect((await createApi({ url }).signInGuest('Ana')).token).toBe('t');
    expect(seen).toEqual({
      method: 'POST',
      url: '/api/auth/guest',
      authorization: undefined,
      body: '{"displayName":"Ana"}',
    });
  });

  test('DS-1 asks for a page with the token, and leaves out what is not said', async () => {
    answer = { status: 200, body: JSON.stringify({ rooms: [], nextCursor: null }) };
    const api = createApi({ url: `${url}/`, getToken: () => 'secret' });
    await api.listRooms({ cursor: 'a.b', limit: 5 });
    expect(seen.url).toBe('/api/rooms?cursor=a.b&limit=5');
    expect(seen.authorization).toBe('Bearer secret');
    await api.listRooms({ cursor: undefined });
    expect(seen.url).toBe('/api/rooms');
    await api.listParticipants(roomId, { page: 2, query: 'a&b' });
    expect(seen.url).toBe(`/api/rooms/${roomId}/participants?page=2&query=a%26b`);
  });

  test('ends a room', async () => {
    answer = { status: 200, body: '{}' };
    await createApi({ url }).endRoom(roomId);
    expect(seen).toMatchObject({ method: 'DELETE', url: `/api/rooms/${roomId}`, body: '' });
  });

  test('ID-8 SF-1 SF-4 RQ-7 accepts, blocks, reports, and asks who is there', async () => {
    answer = { status: 200, body: '{}' };
    const api = createApi({ url });
    const asked = async (call: Promise<unknown>) => {
      await call;
      return [seen.method, seen.url, seen.body];
    };
    expect(await asked(api.giveConsent({ minimumAge: 18 }))).toEqual(['PUT', '/api/me/consents', '{"minimumAge":18}']);
    expect(await asked(api.consents())).toEqual(['GET', '/api/me/consents', '']);
    expect(await asked(api.block('a/b'))).toEqual(['PUT', '/api/me/blocks/a%2Fb', '']);
    expect(await asked(api.unblock('ana'))).toEqual(['DELETE', '/api/me/blocks/ana', '']);
    expect(await asked(api.randomService())).toEqual(['GET', '/api/random', '']);
    expect(await asked(api.reportPerson(roomId, 'ana', { type: 'spam', text: 'Ads' }))).toEqual([
      'POST',
      `/api/rooms/${roomId}/report`,
      '{"userId":"ana","type":"spam","text":"Ads"}',
    ]);
  });

  test('SE-1 gives the code and the path of a refusal', async () => {
    answer = { status: 400, body: JSON.stringify({ error: { code: 'invalid', message: 'No.', path: 'title' } }) };
    expect(await failing(createApi({ url }).createRoom({ title: '' }))).toMatchObject({
      code: 'invalid',
      path: 'title',
    });
  });

  test('RM-2 gives the milliseconds to wait', async () => {
    answer = { status: 429, body: JSON.stringify({ error: { code: 'rate_limited', message: '', retryAfterMs: 9 } }) };
    expect(await failing(createApi({ url }).listRooms())).toMatchObject({ code: 'rate_limited', retryAfterMs: 9 });
  });

  test('makes sense of what a proxy answers', async () => {
    answer = { status: 502, body: '<html>Bad gateway</html>' };
    expect((await failing(createApi({ url }).listRooms())).code).toBe('unavailable');
    answer = { status: 429, body: '{}', headers: { 'retry-after': '3' } };
    expect(await failing(createApi({ url }).listRooms())).toMatchObject({ code: 'rate_limited', retryAfterMs: 3000 });
    answer = { status: 404, body: '' };
    expect((await failing(createApi({ url }).getRoom(roomId))).code).toBe('not_found');
  });

  test('says `network` when there is nobody', async () => {
    expect((await failing(createApi({ url: 'http://127.0.0.1:9' }).listRooms())).code).toBe('network');
  });
});
