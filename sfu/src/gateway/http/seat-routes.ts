import { id, nothing } from '@rostrum/shared/protocol/common.ts';
import { errorBodySchema } from '@rostrum/shared/protocol/rest.ts';
import { roomCommands } from '@rostrum/shared/protocol/room.ts';
import { done, type Result } from '@rostrum/shared/result.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod/mini';
import type { Actor } from '../../rules/room/commands.ts';
import { type HttpDependencies, type HttpServer, personOf, send } from './context.ts';

const ofRoom = z.strictObject({ id });
const response = { 200: nothing, '4xx': errorBodySchema, '5xx': errorBodySchema };
const withoutRoom = { roomId: true } as const;

const schemaOf = (summary: string) => ({ summary, tags: ['seats'], params: ofRoom, response });

/** What people do with seats that exist, over HTTP: the commands of the socket, by whichever session holds the seat. */
export const seatRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { rooms } = dependencies;

  const act: Act = async (request, reply, command) => {
    const person = await personOf(dependencies, request);
    const result = person.ok ? await command({ userId: person.value.userId }) : person;
    await send(reply, result.ok ? done({}) : result);
  };

  http.post('/api/rooms/:id/leave', { schema: schemaOf('Leave the room') }, (request, reply) =>
    act(request, reply, (by) => rooms.command(request.params.id, { type: 'leave', by })),
  );

  http.post('/api/rooms/:id/raise-hand', { schema: schemaOf('Raise a hand') }, (request, reply) =>
    act(request, reply, (by) => rooms.command(request.params.id, { type: 'raise-hand', by })),
  );

  roleRoutes(http, dependencies, act);
  moderationRoutes(http, dependencies, act);
};

type Act = (
  request: FastifyRequest,
  reply: FastifyReply,
  command: (by: Actor) => Promise<Result<unknown>>,
) => Promise<void>;

const roleRoutes = (http: HttpServer, { rooms }: HttpDependencies, act: Act): void => {
  const invite = z.omit(roomCommands['room:invite-to-speak'].input, withoutRoom);
  http.post(
    '/api/rooms/:id/invite-to-speak',
    { schema: { ...schemaOf('Invite somebody to speak'), body: invite } },
    (request, reply) =>
      act(request, reply, (by) => rooms.command(request.params.id, { type: 'invite-to-speak', by, ...request.body })),
  );

  const promote = z.omit(roomCommands['room:promote'].input, withoutRoom);
  http.post(
    '/api/rooms/:id/promote',
    { schema: { ...schemaOf('Make somebody a speaker or moderator'), body: promote } },
    (request, reply) =>
      act(request, reply, (by) => rooms.command(request.params.id, { type: 'promote', by, ...request.body })),
  );

  const demote = z.omit(roomCommands['room:demote'].input, withoutRoom);
  http.post(
    '/api/rooms/:id/demote',
    { schema: { ...schemaOf('Return somebody to the audience'), body: demote } },
    (request, reply) =>
      act(request, reply, (by) => rooms.command(request.params.id, { type: 'demote', by, ...request.body })),
  );
};

const moderationRoutes = (http: HttpServer, { rooms }: HttpDependencies, act: Act): void => {
  const mute = z.omit(roomCommands['room:mute'].input, withoutRoom);
  http.post(
    '/api/rooms/:id/mute',
    { schema: { ...schemaOf('Mute somebody on the stage'), body: mute } },
    (request, reply) =>
      act(request, reply, (by) => {
        const { userId, locked, reason } = request.body;
        return rooms.command(request.params.id, { type: 'mute', by, userId, locked, reason: reason || null });
      }),
  );

  const exclude = z.omit(roomCommands['room:kick'].input, withoutRoom);
  const excludeRoute = (type: 'kick' | 'ban', summary: string) => ({
    schema: { ...schemaOf(summary), body: exclude },
    run:
      (roomId: string, { userId, reason }: z.output<typeof exclude>) =>
      (by: Actor) =>
        rooms.moderate(roomId, { type, by, userId, reason: reason || null }),
  });
  const kick = excludeRoute('kick', 'Remove somebody from the room');
  http.post('/api/rooms/:id/kick', { schema: kick.schema }, (request, reply) =>
    act(request, reply, kick.run(request.params.id, request.body)),
  );
  const ban = excludeRoute('ban', 'Ban somebody from every room of this host');
  http.post('/api/rooms/:id/ban', { schema: ban.schema }, (request, reply) =>
    act(request, reply, ban.run(request.params.id, request.body)),
  );
};
