import { errorBodySchema, randomServiceBodySchema, switchRandomSchema } from '@rostrum/shared/protocol/rest.ts';
import { done, refuse } from '@rostrum/shared/result.ts';
import { type HttpDependencies, type HttpServer, personOf, send, viewerOf } from './context.ts';

/** Random calls over HTTP: what a page shows before anybody is connected, and the operator's switch (RQ-8). */
export const randomRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { randomCalls, logger } = dependencies;

  http.get(
    '/api/random',
    {
      schema: {
        summary: 'Whether random calls are on, and how many people are there',
        tags: ['random'],
        response: { 200: randomServiceBodySchema, '4xx': errorBodySchema },
      },
    },
    async (request, reply) => {
      const viewer = await viewerOf(dependencies, request);
      return send(reply, done(await randomCalls.service(viewer?.userId)));
    },
  );

  http.put(
    '/api/admin/random',
    {
      schema: {
        summary: 'Switch random calls on or off, for everybody or for a share of people',
        tags: ['admin'],
        body: switchRandomSchema,
        response: { 200: switchRandomSchema, '4xx': errorBodySchema, '5xx': errorBodySchema },
      },
    },
    async (request, reply) => {
      const person = await personOf(dependencies, request);
      if (!person.ok) return send(reply, person);
      if (person.value.kind !== 'admin') return send(reply, refuse('forbidden'));
      await randomCalls.setSwitch(request.body);
      logger.info({ ...request.body, by: person.value.userId }, 'random calls were switched');
      return send(reply, done(request.body));
    },
  );
};
