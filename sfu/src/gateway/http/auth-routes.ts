import {
  claimAdminSchema,
  errorBodySchema,
  refreshSchema,
  type SignedIn,
  signedInSchema,
  signInGuestSchema,
} from '@rostrum/shared/protocol/rest.ts';
import { type Result, refuse } from '@rostrum/shared/result.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { deviceCookie } from '../../people/traces.ts';
import type { Traces } from '../../records/records.ts';
import { type HttpDependencies, type HttpServer, send } from './context.ts';

const response = { 200: signedInSchema, '4xx': errorBodySchema };

/** Signing in (ID-1, ID-2) and the first administrator (OP-7). */
export const authRoutes = (http: HttpServer, dependencies: HttpDependencies): void => {
  const { accounts, rateLimits, origin, newId } = dependencies;

  /** Every sign-in counts against its address, and leaves a device cookie where there is none (MO-2). */
  const newcomer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    signIn: (traces: Traces) => Promise<Result<SignedIn>>,
  ): Promise<Result<SignedIn>> => {
    const { address, traces } = origin.of(request.raw);
    const waitMs = await rateLimits.guestSignIn(address);
    if (waitMs !== undefined) return refuse('rate_limited', { retryAfterMs: waitMs });
    const deviceId = traces.deviceId ?? newId();
    void reply.header('set-cookie', deviceCookie(deviceId, { secure: request.protocol === 'https' }));
    return signIn({ ...traces, deviceId });
  };

  http.post(
    '/api/auth/guest',
    {
      schema: { summary: 'Sign in as a guest with a display name', tags: ['auth'], body: signInGuestSchema, response },
    },
    async (request, reply) =>
      send(reply, await newcomer(request, reply, (traces) => accounts.signInGuest({ ...request.body, traces }))),
  );

  http.post(
    '/api/auth/refresh',
    { schema: { summary: 'Renew a token while it is valid', tags: ['auth'], body: refreshSchema, response } },
    async (request, reply) => send(reply, await accounts.refresh(request.body.token, origin.of(request.raw).traces)),
  );

  http.post(
    '/api/auth/claim-admin',
    {
      schema: {
        summary: 'Become the first administrator by the one-time link',
        tags: ['auth'],
        body: claimAdminSchema,
        response,
      },
    },
    async (request, reply) =>
      send(reply, await newcomer(request, reply, (traces) => accounts.claimAdmin({ ...request.body, traces }))),
  );
};
