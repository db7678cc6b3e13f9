import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { expect, test } from 'vitest';
import { createHandlers, type HandlerDependencies } from '../../src/gateway/socket/handlers.ts';
import type { RostrumSocket } from '../../src/gateway/socket/types.ts';
import type { Listening } from '../../src/media/media-plane.ts';
import type { Listens } from '../../src/rooms/join-room.ts';
import { keepingLogger } from '../cluster/logged.ts';

const roomId = 'room';
const state = { self: { role: 'listener' }, info: { audienceListed: false }, audience: { count: 1, members: null } };

/** A newcomer who listens, in a room whose media and whose way out the test plays. */
const setUp = (left: Result<unknown> = done({})) => {
  const opening = Promise.withResolvers<Result<Listening>>();
  const world = { speaking: ['ana'], commands: [] as string[], noted: [] as string[] };
  const { logger, logged } = keepingLogger();
  const noting = (name: string) => async () => void world.noted.push(name);
  const dependencies = {
    rooms: {
      join: async (_: unknown, __: string, ___: string, listens: Listens) => {
        listens.begin({} as Parameters<Listens['begin']>[0]);
        return done({ state, resumed: false, isNew: true });
      },
      command: async (_: string, { type }: { type: string }) => {
        world.commands.push(type);
        return left;
      },
    },
    queries: { knows: async () => 'seat' },
    media: { admit: () => done(undefined), listenSeated: () => opening.promise },
    randomCalls: { beforeRoom: async () => done(undefined), inRoom: async () => undefined },
    whereabouts: { run: (_: string, task: () => Promise<unknown>) => task() },
    bridge: { hold: () => () => undefined, speakingIn: () => world.speaking },
    lateViews: { owe: () => undefined },
    connections: {
      joining: noting('joining'),
      stays: noting('stays'),
      unsure: noting('unsure'),
      seated: noting('seated'),
    },
    logger,
  } as unknown as HandlerDependencies;
  const socket = { data: { person: { userId: 'ben', kind: 'guest' }, sessionId: 'one' } } as unknown as RostrumSocket;
  const joined = createHandlers(dependencies)['room:join']({ roomId, listen: true }, socket);
  return { opening, world, logged, joined };
};

test('MD-4 who speaks is answered as it is when the answer goes out, for what was told before it counts no more', async () => {
  const { opening, world, joined } = setUp();
  await new Promise(setImmediate);
  world.speaking = ['cem'];
  opening.resolve(refuse('unavailable'));
  expect(await joined).toMatchObject({ ok: true, value: { speaking: ['cem'], listening: null } });
});

test('RE-2 a seat stands though media broke down beneath it, and it is noted where its owner is', async () => {
  const { opening, world, logged, joined } = setUp();
  opening.reject(new Error('mediasoup said no'));
  expect(await joined).toMatchObject({ ok: true, value: { listening: null } });
  expect(world.noted).toEqual(['joining', 'seated']);
  expect(logged).toHaveLength(1);
});

test('MD-3 RE-2 who sat down and found no room is taken out again, and is noted as lost where that cannot be done', async () => {
  const leaves = setUp();
  leaves.opening.resolve(refuse('node_full'));
  expect(await leaves.joined).toMatchObject({ ok: false, refusal: { code: 'node_full' } });
  expect([leaves.world.commands, leaves.world.noted]).toEqual([['leave'], ['joining', 'stays']]);
  const stuck = setUp(refuse('unavailable'));
  stuck.opening.resolve(refuse('node_full'));
  expect(await stuck.joined).toMatchObject({ ok: false, refusal: { code: 'unavailable' } });
  expect(stuck.world.noted).toEqual(['joining', 'unsure']);
});
