import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createIceServers } from '../../src/calls/ice-servers.ts';
import { newId } from '../../src/runtime/ids.ts';

describe('ICE servers', () => {
  const clock = { now: () => 1_750_000_000_999 };

  it('SE-3 gives each user TURN credentials of their own, for an hour', () => {
    const turn = { urls: ['turn:turn.example:3478', 'turns:turn.example:443?transport=tcp'], secret: 'shared' };
    const iceServers = createIceServers({ stunUrls: [], turn, clock });
    const userId = newId();
    const [server, ...more] = iceServers(userId);
    expect(more).toEqual([]);
    expect(server).toEqual({
      urls: turn.urls,
      username: `1750003600:${userId}`,
      credential: createHmac('sha1', 'shared').update(`1750003600:${userId}`).digest('base64'),
    });
    expect(iceServers(newId())[0]?.credential).not.toBe(server?.credential);
  });

  it('RD-4 gives those of STUN in one entry without credentials, before those of TURN', () => {
    const stunUrls = ['stun:stun.example', 'stuns:stun.example:443'];
    const turn = { urls: ['turn:turn.example'], secret: 'shared' };
    const [stun, relay, ...more] = createIceServers({ stunUrls, turn, clock })(newId());
    expect([stun, relay?.urls, more]).toEqual([{ urls: stunUrls }, turn.urls, []]);
    expect(createIceServers({ stunUrls, turn: undefined, clock })(newId())).toEqual([{ urls: stunUrls }]);
  });

  it('gives none where none is configured', () => {
    expect(createIceServers({ stunUrls: [], turn: undefined, clock })(newId())).toEqual([]);
  });

  it('SE-3 hands out lists that nobody shares', () => {
    const iceServers = createIceServers({ stunUrls: ['stun:stun.example'], turn: undefined, clock });
    iceServers(newId()).push({ urls: ['turn:evil.example'] });
    expect(iceServers(newId())).toEqual([{ urls: ['stun:stun.example'] }]);
  });
});
