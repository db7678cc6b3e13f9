import { protocolVersion } from '@rostrum/shared/protocol/index.ts';
import { roomLooseEvents, roomViewEvents } from '@rostrum/shared/protocol/room.ts';
import { handshakeSchema } from '@rostrum/shared/protocol/session.ts';
import { expect, test } from 'vitest';
import { clientProtocol, handshakeOf, refusalOf } from './handshake.ts';
import { looseNames, viewEventNames } from './room-events.ts';
import { idOf } from './test-support.ts';

test('the client speaks the version of the protocol that is there', () => {
  expect(clientProtocol).toBe(protocolVersion);
});

test('RE-1 the client listens to every event of a room', () => {
  expect([...viewEventNames].sort()).toEqual(Object.keys(roomViewEvents).sort());
  expect([...looseNames].sort()).toEqual(Object.keys(roomLooseEvents).sort());
});

test('ID-4 the handshake is what the server takes', () => {
  expect(handshakeSchema.safeParse(handshakeOf('a.b.c', undefined)).success).toBe(true);
  expect(handshakeSchema.safeParse(handshakeOf('a.b.c', idOf('session'))).success).toBe(true);
});

test('ID-4 a refused handshake is told from a server that is not there', () => {
  const refused = Object.assign(new Error('refused'), {
    data: { code: 'rate_limited', message: '', retryAfterMs: 1500 },
  });
  expect(refusalOf(refused)).toEqual({ code: 'rate_limited', retryAfterMs: 1500 });
  expect(refusalOf(Object.assign(new Error('refused'), { data: { code: 'unauthorized', message: '' } }))).toEqual({
    code: 'unauthorized',
    retryAfterMs: 0,
  });
  expect(refusalOf(new Error('websocket error'))).toBeUndefined();
  expect(refusalOf(Object.assign(new Error('refused'), { data: { code: 'toString' } }))).toBeUndefined();
  expect(refusalOf(Object.assign(new Error('refused'), { data: 'html' }))).toBeUndefined();
});
