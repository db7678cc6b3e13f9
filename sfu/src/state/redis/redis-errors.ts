import { StateUnavailable } from '../room-store.ts';

/**
 * What an error of ioredis means. `lost`: the connection broke while the answer was waited for, so Redis may or may not have
 * carried the command out, or may do so yet. `away`: it was not carried out, and will not be. `bug`: everything else.
 */
export type RedisFault = 'lost' | 'away' | 'bug';

/** Answers that mean that this Redis serves nobody at the moment, with the reason for the operator. */
const awayAnswers: Readonly<Record<string, string>> = {
  LOADING: 'Redis is loading its data',
  READONLY: 'Redis has become a replica',
  MASTERDOWN: 'Redis is a replica without its master',
  NOREPLICAS: 'Redis has fewer replicas than it should',
  CLUSTERDOWN: 'Redis is a cluster that is down',
  TRYAGAIN: 'Redis is moving its data',
  MISCONF: 'Redis cannot save its data',
  OOM: 'Redis has no memory left',
  BUSY: 'Redis is busy with a script',
  NOAUTH: 'Redis asks for a password',
  WRONGPASS: 'Redis refuses the password',
  NOPERM: 'Redis does not permit its user what Rostrum needs',
};

/** Why this Redis serves nobody, in words that hold no secret and no address; undefined where the error does not say. */
export const awayReason = (error: unknown): string | undefined => {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  // Within a script, Redis before 7 puts the code behind a minus sign in the middle of the message.
  const [, code = ''] = /(?:^|-)([A-Z]+) /.exec(error.message) ?? [];
  return awayAnswers[code];
};

/**
 * ioredis tells with an error which command it was, with all its words: the password of a greeting, or what people are called
 * and whom they blocked. That is for no log (SE-4).
 */
export const withoutCommand = (error: unknown): unknown => {
  if (error instanceof Error) Reflect.deleteProperty(error, 'command');
  return error;
};

/** An error of the script that an operator can do something about, in words for them; any other one as it is. */
export const inWords = (error: unknown): unknown => {
  const [, what] = error instanceof Error ? (/FOREIGN (.*)/.exec(error.message) ?? []) : [];
  return what === undefined
    ? error
    : new Error(`Redis has keys of another application under this REDIS_PREFIX; choose another one: ${what}`, {
        cause: error,
      });
};

export const faultOf = (error: unknown): RedisFault => {
  if (error instanceof StateUnavailable || awayReason(error) !== undefined) return 'away';
  if (!(error instanceof Error) || error.name === 'ReplyError') return 'bug';
  if (error.message.startsWith("Stream isn't writeable")) return 'away';
  return isBroken(error) ? 'lost' : 'bug';
};

/** Whether the connection broke: ioredis' own errors for that, and those of sockets. */
const isBroken = (error: Error): boolean =>
  ['AbortError', 'MaxRetriesPerRequestError'].includes(error.name) ||
  ['Connection is closed.', 'Command timed out'].includes(error.message) ||
  'syscall' in error;

/** Whether a Redis that was the master is one no more, and the connection has to look for the new one. */
export const isReplica = (error: Error): boolean => awayReason(error) === awayAnswers['READONLY'];
