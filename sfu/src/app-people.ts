import { join } from 'node:path';
import type { Limits } from '@rostrum/shared/limits.ts';
import type { RandomSwitchboard } from './calls/random-switch.ts';
import type { Config } from './config.ts';
import { createRequestOrigin } from './gateway/request-origin.ts';
import { Accounts } from './people/accounts.ts';
import { authSecret } from './people/auth-secret.ts';
import { createTokens } from './people/tokens.ts';
import { createTracer } from './people/traces.ts';
import { openSqliteRecords } from './records/sqlite/open.ts';
import { openServing } from './records/sqlite/serving.ts';
import type { Clock } from './runtime/clock.ts';
import { newId } from './runtime/ids.ts';
import type { AppLogger } from './runtime/logger.ts';
import type { Opened } from './runtime/parts.ts';
import { Schedule, sweep } from './runtime/schedule.ts';

/** Who people are, and the records of it. */
export const composePeople = (config: Config, clock: Clock, opened: Opened) => {
  // Nodes of one cluster serve from one file together; a node by itself does with nobody.
  const group = config.cluster ? `cluster ${config.cluster.redisPrefix}` : `alone ${newId()}`;
  opened('who serves', openServing({ path: join(config.dataDir, 'serving.sqlite'), group }), (it) => it.close());
  const secret = authSecret({ configured: config.authSecret, dataDir: config.dataDir });
  const records = opened('records', openSqliteRecords({ path: join(config.dataDir, 'rostrum.sqlite') }), (it) =>
    it.close(),
  );
  const tokens = createTokens({ secret, clock, lifetimeMs: config.limits.tokenLifetimeMs });
  const accounts = new Accounts({ records, tokens, clock, limits: config.limits });
  const origin = createRequestOrigin({ ...config, tracer: createTracer(secret) });
  return { secret, records, tokens, accounts, origin };
};

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** RQ-8: how soon every node goes by what an operator has switched at one, in milliseconds. */
const switchMs = 5000;

/** ID-6, MO-4, RD-10, RD-13: what is kept for a time is deleted after it. */
export const housekeeping = (
  { accounts, records }: Pick<ReturnType<typeof composePeople>, 'accounts' | 'records'>,
  switchboard: RandomSwitchboard,
  { clock, logger, limits }: { clock: Clock; logger: AppLogger; limits: Limits },
): Schedule => {
  const schedule = new Schedule(logger);
  const ago = (ms: number): number => clock.now() - ms;
  const { moderationLogDays, callMessagesKeptMs, guestCallsKeptMs, memberCallsKeptDays } = limits;
  schedule.every(hourMs, 'guests', () => accounts.sweepGuests());
  schedule.every(switchMs, 'switch of random calls', () => switchboard.refresh());
  const clean = (everyMs: number, name: string, deleteSome: (most: number) => Promise<number>): void =>
    schedule.every(everyMs, name, () => sweep(deleteSome));
  clean(hourMs, 'traces of bans', (most) => records.bans.forgetTraces(clock.now(), most));
  clean(dayMs, 'moderation log', (most) => records.moderation.deleteBefore(ago(moderationLogDays * dayMs), most));
  clean(hourMs, 'chat of calls', (most) => records.callMessages.deleteBefore(ago(callMessagesKeptMs), most));
  clean(hourMs, 'calls', (most) =>
    records.calls.deleteBefore(
      { guestsBefore: ago(guestCallsKeptMs), membersBefore: ago(memberCallsKeptDays * dayMs) },
      most,
    ),
  );
  return schedule;
};
