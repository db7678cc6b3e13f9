import { id, nothing } from '@rostrum/shared/protocol/common.ts';
import { blocksSchema, consentsSchema, errorBodySchema, giveConsentSchema } from '@rostrum/shared/protocol/rest.ts';
import { done } from '@rostrum/shared/result.ts';
import * as z from 'zod/mini';
import { type HttpDependencies, type HttpServer, personOf, send } from './context.ts';

const ofUser = z.strictObject({ userId: id });
const errors = { '4xx': errorBodySchema, '5xx': errorBodySchema };
const tags = ['me'];

/** What concerns the person who asks: what they have accepted (ID-8), and whom they have blocked (SF-4). */
export const meRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  consentRoutes(http, dependencies);
  blockRoutes(http, dependencies);
};

const consentRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { consents } = dependencies;

  http.get(
    '/api/me/consents',
    { schema: { summary: 'What one has accepted', tags, response: { 200: consentsSchema, ...errors } } },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      return send(reply, person.ok ? done(await consents.of(person.value.userId)) : person);
    },
  );

  http.put(
    '/api/me/consents',
    {
      schema: {
        summary: 'Accept the house rules, or confirm an age; adds to what one has accepted',
        tags,
        body: giveConsentSchema,
        response: { 200: consentsSchema, ...errors },
      },
    },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      return send(reply, person.ok ? await consents.give(person.value.userId, request.body) : person);
    },
  );
};

const blockRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { blocks } = dependencies;

  http.get(
    '/api/me/blocks',
    { schema: { summary: 'Whom one has blocked, the latest first', tags, response: { 200: blocksSchema, ...errors } } },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      return send(reply, person.ok ? done(await blocks.list(person.value.userId)) : person);
    },
  );

  http.put(
    '/api/me/blocks/:userId',
    { schema: { summary: 'Block a person', tags, params: ofUser, response: { 200: nothing, ...errors } } },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      if (!person.ok) return send(reply, person);
      const blocked = await blocks.put(person.value.userId, request.params.userId);
      return send(reply, blocked.ok ? done({}) : blocked);
    },
  );

  http.delete(
    '/api/me/blocks/:userId',
    { schema: { summary: 'Lift a block', tags, params: ofUser, response: { 200: nothing, ...errors } } },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      if (!person.ok) return send(reply, person);
      await blocks.remove(person.value.userId, request.params.userId);
      return send(reply, done({}));
    },
  );
};
