import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createIceServers } from '../../src/calls/ice-servers.ts';
import { newId } from '../../src/runtime/ids.ts';

describe('ICE servers', () => {
  const clock = { now: () => 1_750_000_000_999 };

  it('SE-3 gives each user TURN credentials of their own, for an hour', () => {
    const turn = { urls: ['turn:turn.example:3478', 'turns:turn.example:443?transport=tcp'], secret: 'shared' };
    const iceServers = createIceServers({ turn, clock });
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

  it('gives none where no TURN server is configured', () => {
    expect(createIceServers({ turn: undefined, clock })(newId())).toEqual([]);
  });
});
