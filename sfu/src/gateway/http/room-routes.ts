import { id, nothing } from '@rostrum/shared/protocol/common.ts';
import {
  errorBodySchema,
  joinAnswerSchema,
  moderationLogSchema,
  participantsQuerySchema,
  participantsSchema,
  roomCardSchema,
  roomListQuerySchema,
  roomListSchema,
} from '@rostrum/shared/protocol/rest.ts';
import { createRoomSchema, roomCategories, roomChangesSchema, roomInfoSchema } from '@rostrum/shared/protocol/room.ts';
import { done } from '@rostrum/shared/result.ts';
import * as z from 'zod/mini';
import { type HttpDependencies, type HttpServer, personOf, send, viewerOf } from './context.ts';

const ofRoom = z.strictObject({ id });
const ofCategory = z.strictObject({ category: z.enum(roomCategories) });
const errors = { '4xx': errorBodySchema, '5xx': errorBodySchema };
const tags = ['rooms'];

/** Rooms over HTTP: the same use cases as over the socket. */
export const roomRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  listRoutes(http, dependencies);
  changeRoutes(http, dependencies);
  insideRoutes(http, dependencies);
};

const listRoutes = (http: HttpServer, { queries }: HttpDependencies): void => {
  http.get(
    '/api/rooms',
    {
      schema: {
        summary: 'Active public rooms, newest first',
        tags,
        querystring: roomListQuerySchema,
        response: { 200: roomListSchema, ...errors },
      },
    },
    async (request, reply) => send(reply, await queries.list(request.query)),
  );

  http.get(
    '/api/rooms/category/:category',
    {
      schema: {
        summary: 'Active public rooms of a category, newest first',
        tags,
        params: ofCategory,
        querystring: roomListQuerySchema,
        response: { 200: roomListSchema, ...errors },
      },
    },
    async (request, reply) => send(reply, await queries.list({ ...request.query, category: request.params.category })),
  );
};

const changeRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { rooms } = dependencies;

  http.post(
    '/api/rooms',
    {
      schema: { summary: 'Create a room', tags, body: createRoomSchema, response: { 201: roomInfoSchema, ...errors } },
    },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      return person.ok ? send(reply, await rooms.create(person.value, request.body), 201) : send(reply, person);
    },
  );

  http.patch(
    '/api/rooms/:id',
    {
      schema: {
        summary: 'Change a room while it is live',
        tags,
        params: ofRoom,
        body: roomChangesSchema,
        response: { 200: nothing, ...errors },
      },
    },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      if (!person.ok) return send(reply, person);
      const command = { type: 'update', by: { userId: person.value.userId }, changes: request.body } as const;
      const updated = await rooms.command(request.params.id, command);
      return send(reply, updated.ok ? done({}) : updated);
    },
  );

  http.delete(
    '/api/rooms/:id',
    { schema: { summary: 'End a room', tags, params: ofRoom, response: { 200: nothing, ...errors } } },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      if (!person.ok) return send(reply, person);
      const by = { userId: person.value.userId, operator: person.value.kind === 'admin' };
      const ended = await rooms.command(request.params.id, { type: 'end', by });
      return send(reply, ended.ok ? done({}) : ended);
    },
  );
};

const insideRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { queries, publicUrl } = dependencies;

  http.get(
    '/api/rooms/:id',
    { schema: { summary: 'One room', tags, params: ofRoom, response: { 200: roomCardSchema, ...errors } } },
    async (request, reply) => send(reply, await queries.get(request.params.id, await viewerOf(dependencies, request))),
  );

  http.get(
    '/api/rooms/:id/participants',
    {
      schema: {
        summary: 'The people of a room: the stage, then the audience in order of arrival',
        tags,
        params: ofRoom,
        querystring: participantsQuerySchema,
        response: { 200: participantsSchema, ...errors },
      },
    },
    async (request, reply) =>
      send(reply, await queries.participants(request.params.id, await viewerOf(dependencies, request), request.query)),
  );

  http.get(
    '/api/rooms/:id/moderation',
    {
      schema: {
        summary: 'The moderation log, for host and moderators',
        tags,
        params: ofRoom,
        response: { 200: moderationLogSchema, ...errors },
      },
    },
    async (request, reply) =>
      send(reply, await queries.moderationLog(request.params.id, await viewerOf(dependencies, request))),
  );

  http.post(
    '/api/rooms/:id/join',
    {
      schema: {
        summary: 'Whether and how one may join; the seat is taken over the socket',
        tags,
        params: ofRoom,
        response: { 200: joinAnswerSchema, ...errors },
      },
    },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      if (!person.ok) return send(reply, person);
      const answer = await queries.joinAnswer(request.params.id, person.value);
      if (!answer.ok) return send(reply, answer);
      const socketUrl = publicUrl ?? `${request.protocol}://${request.host}`;
      return send(reply, done({ socketUrl, roomId: request.params.id, role: answer.value.role }));
    },
  );
};
