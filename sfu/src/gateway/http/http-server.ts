import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { sizes } from '@rostrum/shared/limits.ts';
import { refuse } from '@rostrum/shared/result.ts';
import { type FastifyBaseLogger, type FastifyError, fastify, LogController } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { RecordsUnavailableError } from '../../records/errors.ts';
import { StateUnavailable } from '../../state/room-store.ts';
import { pathOf } from '../validation.ts';
import { authRoutes } from './auth-routes.ts';
import { type HttpDependencies, type HttpServer, sendCode, sendRefusal } from './context.ts';
import { healthRoutes } from './health-routes.ts';
import { meRoutes } from './me-routes.ts';
import { randomRoutes } from './random-routes.ts';
import { roomRoutes } from './room-routes.ts';
import { safetyRoutes } from './safety-routes.ts';
import { seatRoutes } from './seat-routes.ts';

export type HttpOptions = {
  readonly trustedProxies: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** The folder of the built web client; without it the API is served alone. */
  readonly pages: string | undefined;
  readonly loggerInstance: FastifyBaseLogger;
};

/** The HTTP server: REST with OpenAPI at /api/docs, health, and the web client. Routes are added by `serveHttp`. */
export const createHttpServer = (options: HttpOptions): HttpServer => {
  const common = {
    loggerInstance: options.loggerInstance,
    // Requests are counted in the metrics; a line for each would bury what matters.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: sizes.httpBody,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    // Sockets and keep-alive connections must not keep a stopping server.
    forceCloseConnections: true,
    // RE-5: a client that sends its request byte by byte is cut off.
    requestTimeout: 15_000,
    routerOptions: { maxParamLength: 64 },
  };
  const server = options.tls
    ? fastify({
        ...common,
        https: { cert: readFileSync(options.tls.certFile), key: readFileSync(options.tls.keyFile) },
      })
    : fastify(common);
  return server.withTypeProvider<ZodTypeProvider>() as unknown as HttpServer;
};

/** Adds what the server answers. */
export const serveHttp = async (
  http: HttpServer,
  dependencies: HttpDependencies,
  options: HttpOptions,
): Promise<void> => {
  http.setValidatorCompiler(validatorCompiler);
  http.setSerializerCompiler(serializerCompiler);
  answerErrors(http, dependencies);
  limitRequests(http, dependencies);
  await http.register(helmet, securityHeaders(options));
  if (options.allowedOrigins.length > 0)
    await http.register(cors, { origin: [...options.allowedOrigins], credentials: true });
  await http.register(swagger, {
    openapi: {
      info: { title: 'Rostrum', version: '1' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
  });
  await http.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: true });
  await servePages(http, options.pages);
  // Routes come after OpenAPI is there to see them, which is once what was registered has loaded. Nothing may be
  // registered after that: Fastify would wait for its own start.
  await http.after();
  authRoutes(http, dependencies);
  roomRoutes(http, dependencies);
  seatRoutes(http, dependencies);
  randomRoutes(http, dependencies);
  meRoutes(http, dependencies);
  safetyRoutes(http, dependencies);
  healthRoutes(http, dependencies);
};

/** SE-4: pages run our own scripts and styles only, and may not be framed. */
const securityHeaders = ({ tls }: HttpOptions) => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      mediaSrc: ["'self'", 'blob:', 'mediastream:'],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  // Only a server that speaks TLS itself knows that it always will.
  strictTransportSecurity: tls !== undefined,
  referrerPolicy: { policy: 'same-origin' as const },
});

const limitRequests = (http: HttpServer, { origin, rateLimits, metrics }: HttpDependencies): void => {
  http.addHook('onRequest', async (request, reply) => {
    void reply.header('permissions-policy', 'camera=(self), geolocation=(), microphone=(self)');
    const waitMs = await rateLimits.httpRequest(origin.of(request.raw).address);
    if (waitMs !== undefined) return sendRefusal(reply, { code: 'rate_limited', retryAfterMs: waitMs });
    return undefined;
  });
  http.addHook('onResponse', async (request, reply) => {
    metrics.httpRequest(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime);
  });
};

/** The one place where a thrown error becomes an answer. */
const answerErrors = (http: HttpServer, { logger }: HttpDependencies): void => {
  http.setErrorHandler((error: FastifyError, request, reply) => {
    if (hasZodFastifySchemaValidationErrors(error)) {
      const [issue] = error.validation;
      return sendRefusal(reply, refuse('invalid', { path: validationPath(issue) }).refusal);
    }
    if (error instanceof StateUnavailable || error instanceof RecordsUnavailableError)
      return sendCode(reply, 'unavailable');
    if (error.statusCode === 413) return sendCode(reply, 'too_large');
    if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
      return sendCode(reply, 'invalid');
    logger.error({ err: error, route: request.routeOptions.url }, 'a request failed');
    return sendCode(reply, 'internal');
  });
};

/** fastify-type-provider-zod reports the path as a JSON pointer, and zod's issue in `params`. */
const validationPath = (issue: { instancePath: string; params?: Record<string, unknown> } | undefined): string => {
  const path = (issue?.instancePath ?? '').split('/').filter((part) => part !== '');
  const keys = issue?.params?.['keys'];
  const code = issue?.params?.['code'];
  return pathOf([
    {
      code: Array.isArray(keys) ? 'unrecognized_keys' : String(code ?? ''),
      path,
      keys: Array.isArray(keys) ? keys.map(String) : [],
    },
  ]);
};

/** The web client: files with a hash in their name for ever, the page itself never from a cache. */
const servePages = async (http: HttpServer, pages: string | undefined): Promise<void> => {
  const page = pages === undefined ? undefined : join(pages, 'index.html');
  if (pages !== undefined && page !== undefined && existsSync(page)) {
    await http.register(fastifyStatic, {
      root: pages,
      cacheControl: false,
      // The build compresses once what would otherwise be compressed for every visitor.
      preCompressed: true,
      setHeaders: (reply, path) => {
        const hashed = path.startsWith(join(pages, 'assets'));
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  http.setNotFoundHandler((request, reply) => {
    const isPage =
      request.method === 'GET' && !request.url.startsWith('/api/') && request.headers.accept?.includes('text/html');
    if (isPage && page !== undefined && existsSync(page))
      return reply.header('cache-control', 'no-cache').sendFile('index.html');
    return sendCode(reply, 'not_found');
  });
};
