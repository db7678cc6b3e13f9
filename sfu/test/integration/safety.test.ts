import type { Blocks } from '@rostrum/shared/protocol/rest.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { newId } from '../../src/runtime/ids.ts';
import { cleanUp, guest, request, startServer, type TestPerson, type TestServer } from '../support/server.ts';

afterEach(cleanUp);

const refused = (status: number, code: string, path?: string) => ({
  status,
  body: { error: { code, ...(path === undefined ? {} : { path }) } },
});

/** The same person at a server that was started again on the same data. */
const sameAt = (server: TestServer, person: TestPerson) => ({
  http: (method: string, path: string) => request(server, { method, path, token: person.token }),
});

describe('what concerns oneself, over HTTP', () => {
  it('ID-8 answers what one has accepted, and adds to it, over a restart', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const path = '/api/me/consents';
    expect(await ana.http('GET', path)).toMatchObject({ status: 200, body: { houseRules: false, minimumAge: null } });
    const given = await ana.http('PUT', path, { houseRules: true });
    expect(given).toMatchObject({ status: 200, body: { houseRules: true, minimumAge: null } });
    await ana.http('PUT', path, { minimumAge: 21 });
    await ana.http('PUT', path, { minimumAge: 18 });
    await server.stop();
    const again = sameAt(await startServer({ dataDir: server.dataDir }), ana);
    expect((await again.http('GET', path)).body).toEqual({ houseRules: true, minimumAge: 21 });
  });

  it('SF-4 blocks and unblocks, each as often as one likes, over a restart', async () => {
    const server = await startServer();
    const [ana, bob] = [await guest(server, 'Ana'), await guest(server, 'Bob')];
    const block = `/api/me/blocks/${bob.userId}`;
    for (let times = 0; times < 2; times++)
      expect(await ana.http('PUT', block)).toMatchObject({ status: 200, body: {} });
    await server.stop();
    const after = await startServer({ dataDir: server.dataDir });
    const again = sameAt(after, ana);
    const { blocks } = (await again.http('GET', '/api/me/blocks')).body as Blocks;
    expect(blocks).toEqual([{ userId: bob.userId, displayName: 'Bob', at: expect.any(Number) }]);
    const ofBob = await sameAt(after, bob).http('GET', '/api/me/blocks');
    expect(ofBob.body, 'nobody learns who has blocked them').toEqual({ blocks: [] });
    for (let times = 0; times < 2; times++) expect(await again.http('DELETE', block)).toMatchObject({ status: 200 });
    expect((await again.http('GET', '/api/me/blocks')).body).toEqual({ blocks: [] });
  });

  it('SE-1 SF-4 ID-8 refuses what is not valid, with the path, and those who are not signed in', async () => {
    const server = await startServer();
    const ana = await guest(server, 'Ana');
    const cases = [
      ['PUT', '/api/me/consents', { houseRules: false }, refused(400, 'invalid', 'houseRules')],
      ['PUT', '/api/me/consents', { minimumAge: 18.5 }, refused(400, 'invalid', 'minimumAge')],
      ['PUT', '/api/me/consents', { minimumAge: 121 }, refused(400, 'invalid', 'minimumAge')],
      ['PUT', '/api/me/consents', { soul: true }, refused(400, 'invalid', 'soul')],
      ['PUT', '/api/me/blocks/nobody', undefined, refused(400, 'invalid', 'userId')],
      ['DELETE', '/api/me/blocks/nobody', undefined, refused(400, 'invalid', 'userId')],
      ['PUT', `/api/me/blocks/${ana.userId}`, undefined, refused(409, 'conflict', 'userId')],
      ['PUT', `/api/me/blocks/${newId()}`, undefined, refused(404, 'not_found', 'userId')],
    ] as const;
    for (const [method, path, body, expected] of cases)
      expect(await ana.http(method, path, body), `${method} ${path}`).toMatchObject(expected);
    for (const [method, path] of [
      ['GET', '/api/me/consents'],
      ['PUT', '/api/me/consents'],
      ['GET', '/api/me/blocks'],
      ['PUT', `/api/me/blocks/${ana.userId}`],
      ['DELETE', `/api/me/blocks/${ana.userId}`],
      ['POST', `/api/rooms/${newId()}/report`],
    ] as const) {
      const body = method === 'POST' ? { userId: ana.userId, type: 'spam' } : {};
      const anonymous = await request(server, { method, path, ...(method === 'GET' ? {} : { body }) });
      expect(anonymous, `${method} ${path}`).toMatchObject(refused(401, 'unauthorized'));
    }
    expect((await ana.http('GET', '/api/me/consents')).body).toEqual({ houseRules: false, minimumAge: null });
  });

  it('RE-5 SF-4 keeps as many blocks as the operator lets people have', async () => {
    const server = await startServer({ env: { LIMIT_BLOCKS_PER_PERSON: '1' } });
    const [ana, bob, eve] = [await guest(server, 'Ana'), await guest(server, 'Bob'), await guest(server, 'Eve')];
    expect(await ana.http('PUT', `/api/me/blocks/${bob.userId}`)).toMatchObject({ status: 200 });
    expect(await ana.http('PUT', `/api/me/blocks/${eve.userId}`)).toMatchObject(refused(409, 'blocks_full'));
  });
});

describe('reporting somebody in a room, over HTTP', () => {
  it('SF-1 keeps what was said, and the log of moderation as it was', async () => {
    const server = await startServer();
    const [ana, bob, eve] = [await guest(server, 'Ana'), await guest(server, 'Bob'), await guest(server, 'Eve')];
    const roomId = await ana.createRoom({ title: 'Tea' });
    for (const person of [ana, bob, eve]) await person.enter(roomId);
    expect((await ana.http('POST', `/api/rooms/${roomId}/kick`, { userId: eve.userId, reason: 'noise' })).status).toBe(
      200,
    );
    const path = `/api/rooms/${roomId}/report`;
    const [first, second] = [
      { userId: eve.userId, type: 'hate', text: ' One\nTwo ' },
      { userId: eve.userId, type: 'threat' },
    ];
    for (const body of [first, second])
      expect(await bob.http('POST', path, body)).toMatchObject({ status: 200, body: {} });
    const ofTheHost = { userId: ana.userId, type: 'other', text: 'I only coughed.' };
    expect(await eve.http('POST', path, ofTheHost), 'who was put out').toMatchObject({ status: 200 });
    await server.stop();

    const records = openSqliteRecords({ path: `${server.dataDir}/rostrum.sqlite` });
    const [ofEve, ofAna] = [await records.reports.about(eve.userId, 9), await records.reports.about(ana.userId, 9)];
    await records.close();
    expect(ofEve).toMatchObject([
      {
        byId: bob.userId,
        aboutName: 'Eve',
        place: { kind: 'room', id: roomId },
        statements: [
          { type: 'hate', text: 'One\nTwo' },
          { type: 'threat', text: '' },
        ],
      },
    ]);
    expect(ofAna).toMatchObject([{ byId: eve.userId, aboutName: 'Ana', statements: [{ type: 'other' }] }]);
    expect(JSON.parse(ofEve[0]?.evidence ?? '')).toMatchObject({
      title: 'Tea',
      hostId: ana.userId,
      moderation: [{ act: 'kick', byId: ana.userId, userId: eve.userId, reason: 'noise' }],
    });
  });

  it('SF-1 SE-1 SE-8 refuses who is not inside, oneself, strangers, and what is not valid', async () => {
    const server = await startServer();
    const [ana, bob] = [await guest(server, 'Ana'), await guest(server, 'Bob')];
    const open = await ana.createRoom();
    const hidden = await ana.createRoom({ type: 'private' });
    await ana.enter(open);
    const report = (person: TestPerson, roomId: string, body: object) =>
      person.http('POST', `/api/rooms/${roomId}/report`, body);
    const ofAna = { userId: ana.userId, type: 'spam' };
    expect(await report(bob, open, ofAna)).toMatchObject(refused(409, 'not_in_room'));
    for (const roomId of [hidden, newId()])
      expect(await report(bob, roomId, ofAna)).toMatchObject(refused(404, 'not_found'));
    expect(await report(ana, open, ofAna)).toMatchObject(refused(409, 'conflict', 'userId'));
    expect(await report(ana, open, { ...ofAna, userId: newId() })).toMatchObject(refused(404, 'not_found', 'userId'));
    const ofBob = { userId: bob.userId, type: 'spam' };
    const cases: [object, string][] = [
      [{ ...ofBob, type: 'ugly' }, 'type'],
      [{ ...ofBob, text: 'x'.repeat(1001) }, 'text'],
      [{ ...ofBob, text: 'a\u0000b' }, 'text'],
      [{ ...ofBob, evidence: 'mine' }, 'evidence'],
      [{ type: 'spam' }, 'userId'],
    ];
    for (const [body, path] of cases)
      expect(await report(ana, open, body), path).toMatchObject(refused(400, 'invalid', path));
    expect(await report(ana, open, ofBob), 'who has left, or never came').toMatchObject({ status: 200 });
  });
});
