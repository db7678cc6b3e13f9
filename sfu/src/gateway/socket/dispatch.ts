import { wireError } from '@rostrum/shared/errors.ts';
import type { Ack } from '@rostrum/shared/protocol/common.ts';
import { type CommandName, commands } from '@rostrum/shared/protocol/index.ts';
import { type Result, refuse } from '@rostrum/shared/result.ts';
import { RecordsUnavailableError } from '../../records/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { StateUnavailable } from '../../state/room-store.ts';
import type { RateLimits } from '../rate-limits.ts';
import { isStrike, validate } from '../validation.ts';
import { type Handlers, type RostrumSocket, sessionOf } from './types.ts';

/**
 * What a command costs of a person's points a second (SE-2): 1, but for those that make the server allocate media or
 * send something to everybody.
 */
const costs: Partial<Record<CommandName, number>> = {
  'room:join': 5,
  'room:sync': 2,
  'media:listen': 4,
  'media:publish': 4,
  'media:produce': 3,
  'media:restart-ice': 2,
  'random:start_queue': 3,
  'random:next_partner': 3,
  'random:sync': 2,
};

/** Commands of one socket that may wait for their answer at a time; a client waits for most of them, but for
 * the candidates of a call, which come in a burst (RE-5). */
const mostInFlight = 64;

export type DispatchDependencies = {
  readonly handlers: Handlers;
  readonly rateLimits: RateLimits;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

/**
 * The one place where what comes over a socket becomes a command and its outcome an acknowledgement: rate limit, schema,
 * handler. Nothing that a client sends throws past it.
 */
export const createDispatch = (dependencies: DispatchDependencies) => {
  const { metrics, logger } = dependencies;

  const respond = async (socket: RostrumSocket, name: string, args: readonly unknown[]): Promise<void> => {
    const started = performance.now();
    const last = args.at(-1);
    const acknowledge: ((ack: Ack<unknown>) => unknown) | undefined = isFunction(last) ? last : undefined;
    const outcome = await run(dependencies, socket, { name, input: args[0], acknowledged: acknowledge !== undefined });
    metrics.command(
      isCommand(name) ? name : 'unknown',
      outcome.ok ? 'ok' : outcome.refusal.code,
      performance.now() - started,
    );
    if (outcome.ok) acknowledge?.({ ok: true, data: outcome.value });
    else acknowledge?.({ ok: false, error: wireError(outcome.refusal) });
    if (!outcome.ok && isStrike(outcome.refusal.code)) await strike(dependencies, socket);
  };

  return (socket: RostrumSocket, name: string, args: readonly unknown[]): void => {
    respond(socket, name, args).catch((error: unknown) =>
      logger.error({ err: error, event: name }, 'a command could not be answered'),
    );
  };
};

const isFunction = (value: unknown): value is (ack: Ack<unknown>) => unknown => typeof value === 'function';

/** Counts a message that should not have been sent; too many of them close the socket, and nobody else's (SE-2). */
const strike = async ({ rateLimits }: DispatchDependencies, socket: RostrumSocket): Promise<void> => {
  if ((await rateLimits.strike(sessionOf(socket.data))) === undefined) return;
  socket.emit('session:closing', { code: 'rate_limited' });
  socket.disconnect(true);
};

type Message = { readonly name: string; readonly input: unknown; readonly acknowledged: boolean };

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

const run = async (
  dependencies: DispatchDependencies,
  socket: RostrumSocket,
  message: Message,
): Promise<Result<unknown>> => {
  const { rateLimits, logger } = dependencies;
  const { data } = socket;
  const { name } = message;
  if (data.inFlight >= mostInFlight) return refuse('rate_limited', { retryAfterMs: 1000 });
  data.inFlight += 1;
  try {
    const waitMs = await rateLimits.command(
      data.person.userId,
      data.address,
      (isCommand(name) ? costs[name] : undefined) ?? 1,
    );
    if (waitMs !== undefined) return refuse('rate_limited', { retryAfterMs: waitMs });
    if (!isCommand(name) || !message.acknowledged) return refuse('invalid', { path: '' });
    return await handle(dependencies.handlers, name, message.input, socket);
  } catch (error) {
    if (error instanceof StateUnavailable || error instanceof RecordsUnavailableError) return refuse('unavailable');
    logger.error({ err: error, event: name }, 'a command failed');
    return refuse('internal');
  } finally {
    data.inFlight -= 1;
  }
};

const handle = async <Name extends CommandName>(
  handlers: Handlers,
  name: Name,
  input: unknown,
  socket: RostrumSocket,
): Promise<Result<unknown>> => {
  const valid = validate(commands[name].input, input);
  if (!valid.ok) return valid;
  // The schema of `name` has just made this input, which TypeScript cannot follow over the union of all commands.
  return handlers[name](valid.value as Parameters<Handlers[Name]>[0], socket);
};
