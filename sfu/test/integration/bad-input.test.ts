import { commands } from '@rostrum/shared/protocol/index.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { microphone, until } from '../media/harness.ts';
import { cleanUp, closed, guest, openSocket, request, startServer } from '../support/server.ts';

afterEach(cleanUp);

const nobody = 'A'.repeat(22);

const room = async (env: Record<string, string> = {}) => {
  const server = await startServer({ env });
  const host = await guest(server, 'Hanna');
  const roomId = await host.createRoom();
  const hostSocket = await host.enter(roomId);
  const ana = await guest(server, 'Ana');
  return { server, host, roomId, hostSocket, ana, socket: await ana.enter(roomId) };
};

describe('bad input', () => {
  it('SE-1 every command refuses unknown fields, wrong types and nothing at all, and changes nothing', async () => {
    const { roomId, socket, hostSocket } = await room({
      LIMIT_FLOOD_STRIKES: '1000',
      LIMIT_COMMANDS_PER_SECOND: '10000',
      LIMIT_COMMAND_BURST: '10000',
    });
    const before = await hostSocket.do('room:sync', { roomId });
    const nothing = {};
    // Commands that say all there is by their name take nothing as it is.
    const plain: readonly string[] = ['random:sync', 'random:cancel_queue'];
    const inputs = [undefined, null, 7, 'x', [], nothing, { roomId: 7 }, { roomId: 'short' }, { roomId, surplus: 1 }];
    for (const name of Object.keys(commands)) {
      for (const input of inputs.filter((each) => each !== nothing || !plain.includes(name))) {
        const ack = await socket.send(name, input);
        if (ack.ok) expect([name, input]).toEqual([name, 'a refusal']);
        else expect(['invalid'], `${name} ${JSON.stringify(input)}`).toContain(ack.error.code);
      }
    }
    const surplus = await socket.send('room:hand-raise', { roomId, constructor: 1 });
    expect(surplus).toMatchObject({ ok: false, error: { code: 'invalid', path: 'constructor' } });
    const wrong = await socket.send('room:update', { roomId, changes: { privacy: { hideParticipants: 'yes' } } });
    expect(wrong).toMatchObject({ ok: false, error: { code: 'invalid', path: 'changes.privacy.hideParticipants' } });
    expect(await hostSocket.do('room:sync', { roomId })).toEqual(before);
  });

  it('SE-1 unknown events and events without acknowledgement do no harm', async () => {
    const { roomId, socket } = await room();
    expect(await socket.send('room:explode', { roomId })).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(await socket.send('toString', {})).toMatchObject({ ok: false, error: { code: 'invalid' } });
    const untyped: { emit(name: string, ...args: unknown[]): unknown } = socket.raw;
    untyped.emit('room:hand-raise', { roomId });
    untyped.emit('room:hand-raise');
    untyped.emit('room:hand-raise', { roomId }, 'no function', { deep: [1] });
    expect((await socket.do('room:sync', { roomId })).state.self.handPosition).toBeNull();
  });

  it('SE-7 a message over 64 kB closes the connection, and nobody else’s', async () => {
    const { roomId, socket, hostSocket } = await room();
    const gone = closed(socket);
    const untyped: { emit(name: string, ...args: unknown[]): unknown } = socket.raw;
    untyped.emit('room:hand-raise', { roomId, text: 'x'.repeat(70_000) });
    await gone;
    await hostSocket.do('room:sync', { roomId });
  });

  it('RO-2 commands in the wrong role are forbidden and change nothing', async () => {
    const { roomId, socket, hostSocket, host, ana } = await room();
    const before = await hostSocket.do('room:sync', { roomId });
    const userId = host.userId;
    const refused = [
      socket.codeOf('room:hand-accept', { roomId }),
      socket.codeOf('room:hand-decline', { roomId }),
      socket.codeOf('room:hand-to-front', { roomId, userId }),
      socket.codeOf('room:hand-allow', { roomId, userId, allowed: false }),
      socket.codeOf('room:invite-to-speak', { roomId, userId }),
      socket.codeOf('room:promote', { roomId, userId: ana.userId, role: 'moderator' }),
      socket.codeOf('room:demote', { roomId, userId, role: 'listener' }),
      socket.codeOf('room:mute', { roomId, userId, locked: true }),
      socket.codeOf('room:mute-all', { roomId, locked: true }),
      socket.codeOf('room:mute-toggle', { roomId, muted: false }),
      socket.codeOf('room:kick', { roomId, userId }),
      socket.codeOf('room:ban', { roomId, userId }),
      socket.codeOf('room:unban', { roomId, userId }),
      socket.codeOf('room:update', { roomId, changes: { title: 'Mine' } }),
      socket.codeOf('room:handover', { roomId, userId }),
      socket.codeOf('room:end', { roomId }),
      socket.codeOf('media:publish', { roomId }),
    ];
    expect(await Promise.all(refused)).toEqual(refused.map(() => 'forbidden'));
    expect(await socket.codeOf('room:speak-answer', { roomId, accept: true })).toBe('conflict');
    expect(await hostSocket.codeOf('room:hand-raise', { roomId })).toBe('forbidden');
    expect(await hostSocket.codeOf('room:kick', { roomId, userId: host.userId })).toBe('forbidden');
    expect(await hostSocket.do('room:sync', { roomId })).toEqual(before);
  });

  it('commands of somebody outside, and about rooms and people that are not there', async () => {
    const { roomId, server, hostSocket } = await room();
    const eve = await (await guest(server, 'Eve')).connect();
    expect(await eve.codeOf('room:hand-raise', { roomId })).toBe('not_in_room');
    expect(await eve.codeOf('room:sync', { roomId })).toBe('not_in_room');
    expect(await eve.codeOf('room:end', { roomId })).toBe('not_in_room');
    expect(await eve.codeOf('media:listen', { roomId })).toBe('not_in_room');
    expect(await eve.codeOf('room:join', { roomId: nobody })).toBe('not_found');
    expect(await eve.codeOf('room:sync', { roomId: nobody })).toBe('not_found');
    expect(await hostSocket.codeOf('room:promote', { roomId, userId: nobody, role: 'moderator' })).toBe('not_found');
    expect(await hostSocket.codeOf('room:hand-accept', { roomId, userId: nobody })).toBe('not_found');
    expect(await hostSocket.codeOf('room:hand-accept', { roomId })).toBe('not_found');
  });

  it('MD-9 SE-6 a listener cannot produce, and media ids of others are not found', async () => {
    const { roomId, socket, hostSocket } = await room();
    const { transport } = await hostSocket.do('media:publish', { roomId });
    const { transport: receiving } = await hostSocket.do('media:listen', { roomId });
    const own = await socket.do('media:listen', { roomId });
    const dtlsParameters = {
      role: 'client' as const,
      fingerprints: [{ algorithm: 'sha-256' as const, value: Array(32).fill('AB').join(':') }],
    };
    for (const { transportId } of [transport, receiving]) {
      expect(await socket.codeOf('media:connect', { roomId, transportId, dtlsParameters })).toBe('not_found');
      expect(await socket.codeOf('media:restart-ice', { roomId, transportId })).toBe('not_found');
      expect(await socket.codeOf('media:produce', { roomId, transportId, rtpParameters: microphone(1111) })).toBe(
        'forbidden',
      );
    }
    expect(
      await socket.codeOf('media:produce', {
        roomId,
        transportId: own.transport.transportId,
        rtpParameters: microphone(1112),
      }),
    ).toBe('forbidden');
    expect(
      await hostSocket.codeOf('media:produce', {
        roomId,
        transportId: receiving.transportId,
        rtpParameters: microphone(1113),
      }),
    ).toBe('not_found');
    expect(
      await hostSocket.codeOf('media:produce', {
        roomId,
        transportId: transport.transportId,
        rtpParameters: microphone(1114),
      }),
    ).toBe('ok');
    expect(
      await hostSocket.codeOf('media:produce', {
        roomId,
        transportId: transport.transportId,
        rtpParameters: microphone(1115),
      }),
    ).toBe('already');
    expect(
      await socket.do('media:sync', { roomId, transportIds: [transport.transportId], consumerIds: ['none'] }),
    ).toMatchObject({ transportIds: [], removed: ['none'] });
  });

  it('SE-6 refuses RTP and DTLS parameters that no client of an audio room sends', async () => {
    const { roomId, hostSocket } = await room({ LIMIT_FLOOD_STRIKES: '1000' });
    const { transport } = await hostSocket.do('media:publish', { roomId });
    const { transportId } = transport;
    const good = microphone(2222);
    const [codec] = good.codecs;
    const bad: object[] = [
      { ...good, codecs: [{ ...codec, mimeType: 'video/VP8' }] },
      { ...good, codecs: [codec, codec] },
      { ...good, codecs: [] },
      { ...good, encodings: [{ ssrc: 1 }, { ssrc: 2 }] },
      { ...good, encodings: [{ ssrc: 0 }] },
      { ...good, encodings: [{ ssrc: 1, rid: 'x' }] },
      { ...good, headerExtensions: [{ uri: 'urn:unknown', id: 1 }] },
      { ...good, headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 99 }] },
      { ...good, codecs: [{ ...codec, parameters: { 'x-evil': 1 } }] },
    ];
    for (const rtpParameters of bad) {
      expect(await hostSocket.send('media:produce', { roomId, transportId, rtpParameters })).toMatchObject({
        ok: false,
        error: { code: 'invalid' },
      });
    }
    for (const dtlsParameters of [
      { fingerprints: [] },
      { fingerprints: [{ algorithm: 'md5', value: 'AA' }] },
      { fingerprints: [{ algorithm: 'sha-256', value: 'zz' }] },
      {},
    ]) {
      expect(await hostSocket.send('media:connect', { roomId, transportId, dtlsParameters })).toMatchObject({
        ok: false,
        error: { code: 'invalid' },
      });
    }
    expect(await hostSocket.codeOf('media:produce', { roomId, transportId, rtpParameters: good })).toBe('ok');
  });

  it('SE-2 a thousand commands a second cost their sender alone, and close the socket', async () => {
    const { roomId, socket, hostSocket } = await room();
    const gone = closed(socket);
    const flood = Array.from({ length: 1000 }, () => socket.ask('room:sync', { roomId }).catch(() => undefined));
    await hostSocket.do('room:sync', { roomId });
    await gone;
    const answers = await Promise.all(flood);
    expect(
      answers.filter((ack) => ack !== undefined && !ack.ok && ack.error.code === 'rate_limited').length,
    ).toBeGreaterThan(50);
    expect((await socket.next('session:closing')).code).toBe('rate_limited');
    await hostSocket.do('room:sync', { roomId });
  });

  it('SE-1 HTTP refuses bodies that are no JSON, of another type, or nested past all sense', async () => {
    const { ana, roomId, server } = await room();
    const headers = { 'content-type': 'text/plain' };
    expect((await request(server, { method: 'POST', path: '/api/auth/guest', body: 'x', headers })).status).toBe(400);
    expect((await ana.http('POST', `/api/rooms/${roomId}/kick`, '['.repeat(5000))).status).toBe(400);
    expect((await ana.http('POST', `/api/rooms/${roomId}/kick`, '{"userId":"x","__proto__":{}}')).status).toBe(400);
    expect((await ana.http('POST', '/api/rooms/%00/kick', {})).status).toBe(400);
    expect((await request(server, { method: 'GET', path: `/api/rooms/${roomId}`, token: 'a.b.c' })).status).toBe(200);
  });

  it('RE-5 sockets that break while they join leave nothing behind', async () => {
    const { roomId, server, hostSocket } = await room({
      LIMIT_SEAT_GRACE_MS: '200',
      LIMIT_COMMANDS_PER_SECOND: '1000',
      LIMIT_COMMAND_BURST: '1000',
    });
    for (let round = 0; round < 5; round += 1) {
      const person = await guest(server, `Guest ${round}`);
      const socket = await openSocket(person);
      await socket.next('session:ready');
      void socket.ask('room:join', { roomId }).catch(() => undefined);
      void socket.ask('media:listen', { roomId }).catch(() => undefined);
      socket.close();
    }
    await until('only Ana and the host are left', async () => {
      const { state } = await hostSocket.do('room:sync', { roomId });
      return state.audience.count === 1 && server.app.media.seatsOf(roomId).length === 0;
    });
  });
});
