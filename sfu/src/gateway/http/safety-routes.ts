import { id, nothing } from '@rostrum/shared/protocol/common.ts';
import { errorBodySchema, reportPersonSchema } from '@rostrum/shared/protocol/rest.ts';
import { done, refuse } from '@rostrum/shared/result.ts';
import * as z from 'zod/mini';
import { type HttpDependencies, type HttpServer, personOf, send } from './context.ts';

/** Reporting somebody in a room (SF-1). Calls are reported over the socket, by those who are in them. */
export const safetyRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { reports, rateLimits } = dependencies;

  http.post(
    '/api/rooms/:id/report',
    {
      schema: {
        summary: 'Report somebody in the room; a second report adds to the first',
        tags: ['safety'],
        params: z.strictObject({ id }),
        body: reportPersonSchema,
        response: { 200: nothing, '4xx': errorBodySchema, '5xx': errorBodySchema },
      },
    },
    async (request, reply) => {
      const by = await personOf(dependencies, request);
      if (!by.ok) return send(reply, by);
      const waitMs = await rateLimits.report(by.value.userId);
      if (waitMs !== undefined) return send(reply, refuse('rate_limited', { retryAfterMs: waitMs }));
      const reported = await reports.fromRoom({ by: by.value, roomId: request.params.id, ...request.body });
      return send(reply, reported.ok ? done({}) : reported);
    },
  );
};
