import * as z from 'zod/mini';
import { type HttpDependencies, type HttpServer, sendCode } from './context.ts';

const hidden = { hide: true };

/** OP-1: alive, able to take people, and figures. */
export const healthRoutes = (http: HttpServer, { unready, metrics, origin }: HttpDependencies): void => {
  http.get(
    '/healthz',
    { schema: { ...hidden, response: { 200: z.strictObject({ status: z.literal('ok') }) } } },
    async () => ({ status: 'ok' as const }),
  );

  http.get('/readyz', { schema: hidden }, async (_request, reply) => {
    const reasons = await unready();
    return reply
      .code(reasons.length === 0 ? 200 : 503)
      .send({ status: reasons.length === 0 ? 'ready' : 'not ready', reasons });
  });

  // Figures are for the operator's own machine; whoever scrapes from another one puts a proxy in between that asks who it is.
  http.get('/metrics', { schema: hidden }, async (request, reply) => {
    if (!origin.isLocal(request.raw)) return sendCode(reply, 'not_found');
    const { body, contentType } = await metrics.render();
    return reply.type(contentType).send(body);
  });
};
