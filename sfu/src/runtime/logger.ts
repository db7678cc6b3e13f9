import { pino } from 'pino';

/** A logger with levels; objects first, then the message. pino's, so that Fastify's requests and ours share one stream. */
export type Logger = Pick<import('pino').Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Logger;
};

/** Names of fields that hold secrets. They never reach the log (SE-4). */
const secretFields = ['token', 'authorization', 'cookie', 'secret', 'credential', 'password'];

/** The logger that the server is made with: what Fastify needs of one besides. */
export type AppLogger = import('pino').Logger;

/** A logger that writes JSON lines to standard output at this level and above. */
export const createPino = (level: string): AppLogger =>
  pino({
    level,
    redact: {
      paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[secret]',
    },
  });
