import type { AddressInfo } from 'node:net';
import { type Result, refuse } from '@rostrum/shared/result.ts';
import { type FastifyBaseLogger, type FastifyError, type FastifyInstance, fastify, LogController } from 'fastify';
import { type PipeReply, pipeMessageBytes, pipePath, pipeRequest } from '../../cluster/pipe-protocol.ts';
import type { MediaPlane, PipeOffer } from '../../media/media-plane.ts';
import type { Clock } from '../../runtime/clock.ts';
import { validate } from '../validation.ts';
import { replyTo, seal, unseal } from './seal.ts';

export type InternalServerOptions = {
  /** This node's name: what is meant for another node is not answered. */
  readonly self: string;
  /** Where it listens; port 0 takes a free one. Apart from everything that people reach. */
  readonly host: string;
  readonly port: number;
  /** What all nodes of the cluster share, and nobody else: 32 bytes or more. */
  readonly secret: Uint8Array;
  readonly servePipe: MediaPlane['servePipe'];
  readonly clock: Clock;
  readonly loggerInstance: FastifyBaseLogger;
};

export type InternalServer = {
  readonly port: number;
  /** Stops listening and cuts what is under way. */
  close(): Promise<void>;
};

/**
 * How far the clocks of two nodes may be apart. What was recorded on the network and is sent again later is refused by
 * its time; before that, by the sequence number of its demand.
 */
const clockToleranceMs = 30_000;

/** RE-5: connections at once; a cluster of 64 nodes uses a few from each. */
const mostConnections = 1024;
/** RE-5: who sends a request byte by byte is cut off. */
const requestTimeoutMs = 5000;
/** What is wrong with requests is said once in this time, however many of them come. */
const complaintEveryMs = 60_000;

const sealedType = 'application/octet-stream';

/**
 * What other nodes ask of this one, on a listener of its own: `POST pipePath`, and `GET /healthz` for whoever watches
 * it. Rejects when the address cannot be listened on.
 */
export const startInternalServer = async (options: InternalServerOptions): Promise<InternalServer> => {
  const server = fastify({
    loggerInstance: options.loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: pipeMessageBytes.request,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
  });
  server.server.maxConnections = mostConnections;
  // Nothing but sealed messages: the parsers of JSON and text are taken away.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(sealedType, { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
  server.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) options.loggerInstance.error({ err: error }, 'an internal request failed');
    return reply.code(status).send();
  });
  server.setNotFoundHandler((_request, reply) => reply.code(404).send());
  server.get('/healthz', async () => ({ status: 'ok' }));
  addPipes(server, options);
  await server.listen({ host: options.host, port: options.port });
  const { port } = server.server.address() as AddressInfo;
  return { port, close: () => server.close() };
};

const addPipes = (server: FastifyInstance, options: InternalServerOptions): void => {
  const { secret } = options;
  const complain = complaints(options);
  server.post(pipePath, async (request, reply) => {
    const sealed = request.body;
    const opened = Buffer.isBuffer(sealed) ? unseal(secret, sealed, pipePath) : undefined;
    if (!Buffer.isBuffer(sealed) || opened === undefined) {
      complain('a request between nodes was not made with the secret of this cluster', { address: request.ip });
      return reply.code(401).send();
    }
    const answer = await served(options, opened.message, complain);
    const message: PipeReply = answer.ok ? { ok: true, offer: answer.value } : { ok: false, code: answer.refusal.code };
    return reply.type(sealedType).send(seal(secret, message, replyTo(sealed)));
  });
};

const served = async (
  { self, servePipe, clock }: InternalServerOptions,
  message: unknown,
  complain: ReturnType<typeof complaints>,
): Promise<Result<PipeOffer>> => {
  const request = validate(pipeRequest, message);
  if (!request.ok) {
    complain('a request of another node is not valid: it may run another version', { path: request.refusal.path });
    return request;
  }
  const { from, to, at, demand } = request.value;
  if (to !== self) {
    complain('another node takes this one for somebody else: two nodes have one address', { from, to });
    return refuse('not_found');
  }
  if (from === self) {
    complain('another node has the name of this one', { from });
    return refuse('conflict');
  }
  const apartMs = Math.abs(clock.now() - at);
  if (apartMs > clockToleranceMs) {
    complain('the clock of another node is too far from the one here', { from, apartMs });
    return refuse('unauthorized');
  }
  return servePipe(from, demand);
};

/** A warning for the operator, each kind of them once in a while, with how many there were since the last one. */
const complaints = ({ clock, loggerInstance }: InternalServerOptions) => {
  const said = new Map<string, { readonly at: number; times: number }>();
  return (what: string, about: Record<string, unknown>): void => {
    const now = clock.now();
    const last = said.get(what) ?? { at: Number.NEGATIVE_INFINITY, times: 0 };
    last.times += 1;
    said.set(what, last);
    if (now - last.at < complaintEveryMs) return;
    said.set(what, { at: now, times: 0 });
    loggerInstance.warn({ ...about, times: last.times }, what);
  };
};
