import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { type ErrorCode, errorTable, type Refusal, wireError } from '@rostrum/shared/errors.ts';
import type { Limits } from '@rostrum/shared/limits.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { RandomCalls } from '../../calls/random-calls.ts';
import type { Accounts } from '../../people/accounts.ts';
import type { Consents } from '../../people/consents.ts';
import type { Tokens } from '../../people/tokens.ts';
import type { RoomQueries } from '../../rooms/room-queries.ts';
import type { Rooms } from '../../rooms/rooms.ts';
import type { Person } from '../../rules/room/state.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Blocks } from '../../safety/blocks.ts';
import type { Reports } from '../../safety/reports.ts';
import type { RateLimits } from '../rate-limits.ts';
import type { RequestOrigin } from '../request-origin.ts';

/** Fastify with zod's types, on HTTP or HTTPS. */
export type HttpServer = FastifyInstance<
  Server | SecureServer,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export type HttpDependencies = {
  readonly rooms: Rooms;
  readonly randomCalls: RandomCalls;
  readonly consents: Consents;
  readonly blocks: Blocks;
  readonly reports: Reports;
  readonly queries: RoomQueries;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly origin: RequestOrigin;
  readonly rateLimits: RateLimits;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly newId: () => string;
  /** Where people reach the server; undefined for the address of the request itself. */
  readonly publicUrl: string | undefined;
  /** Why the server cannot take people now; empty when it can. */
  readonly unready: () => Promise<string[]>;
};

/** Answers with the error's status and body, `{ error: { code, message, … } }`. */
export const sendRefusal = (reply: FastifyReply, refusal: Refusal): FastifyReply => {
  // RFC 9110 section 10.2.3: whole seconds.
  if (refusal.retryAfterMs !== undefined) void reply.header('retry-after', Math.ceil(refusal.retryAfterMs / 1000));
  if (refusal.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer');
  return reply.code(errorTable[refusal.code].status).send({ error: wireError(refusal) });
};

/** Answers with the value of a result, or with its refusal. */
export const send = (reply: FastifyReply, result: Result<unknown>, status = 200): FastifyReply =>
  result.ok ? reply.code(status).send(result.value) : sendRefusal(reply, result.refusal);

/** The error's status and body for a code alone. */
export const sendCode = (reply: FastifyReply, code: ErrorCode): FastifyReply => sendRefusal(reply, { code });

/** Who asks, by the bearer token (RFC 6750); undefined without one or with one that is not valid. */
export const viewerOf = async (
  { tokens, accounts, origin }: HttpDependencies,
  request: FastifyRequest,
): Promise<Person | undefined> => {
  const token = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const identity = token === undefined ? undefined : await tokens.verify(token);
  const user = identity && (await accounts.find(identity.userId));
  return (
    user && { userId: user.userId, displayName: user.displayName, kind: user.kind, ...origin.of(request.raw).traces }
  );
};

/** The same, for commands: those of people who are signed in, as often as over the socket (SE-2). */
export const personOf = async (dependencies: HttpDependencies, request: FastifyRequest): Promise<Result<Person>> => {
  const { origin, rateLimits } = dependencies;
  const person = await viewerOf(dependencies, request);
  if (!person) return refuse('unauthorized');
  const waitMs = await rateLimits.command(person.userId, origin.of(request.raw).address, 1);
  return waitMs === undefined ? done(person) : refuse('rate_limited', { retryAfterMs: waitMs });
};
