import type { Limits } from '@rostrum/shared/limits.ts';
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Undefined when within the limit, else the milliseconds to wait. */
export type Taken = Promise<number | undefined>;

/** The rate limits of the edges (RM-2, SE-2). Each holds one small entry for each key that was active in its window. */
export type RateLimits = {
  /** A command of this cost, by the user and by the address. */
  command(userId: string, address: string, points: number): Taken;
  join(userId: string): Taken;
  /** A search for a random partner, with those after `next`. */
  search(userId: string): Taken;
  /** A report of somebody, which has to gather evidence. */
  report(userId: string): Taken;
  /** A chat message in a call. */
  callMessage(userId: string): Taken;
  guestSignIn(address: string): Taken;
  httpRequest(address: string): Taken;
  /** A message that was refused for its form or rate; undefined until the socket is to be closed. */
  strike(session: string): Taken;
};

/** Window over which a burst of commands is saved up, and over which strikes add up, in seconds. */
const burstSeconds = 10;

export const createRateLimits = (limits: Limits): RateLimits => {
  const window = (keyPrefix: string, points: number, duration: number) =>
    new RateLimiterMemory({ keyPrefix, points, duration });
  const byUser = new BurstyRateLimiter(
    window('user', limits.commandsPerSecond, 1),
    window('user-burst', limits.commandBurst, burstSeconds),
  );
  const byAddress = window('address', limits.addressCommandsPerSecond, 1);
  const joins = window('join', limits.joinsPerMinute, 60);
  const searches = window('search', limits.searchesPerMinute, 60);
  const reports = window('report', limits.reportsPerMinute, 60);
  const callMessages = new BurstyRateLimiter(
    window('call-message', limits.callMessagesPerSecond, 1),
    window('call-message-burst', limits.callMessageBurst, burstSeconds),
  );
  const signIns = window('sign-in', limits.guestsPerAddressHour, 3600);
  const requests = window('http', limits.httpRequestsPerMinute, 60);
  const strikes = window('strike', limits.floodStrikes, burstSeconds);
  return {
    command: async (userId, address, points) =>
      (await take(byAddress, address, points)) ?? (await take(byUser, userId, points)),
    join: (userId) => take(joins, userId, 1),
    search: (userId) => take(searches, userId, 1),
    report: (userId) => take(reports, userId, 1),
    callMessage: (userId) => take(callMessages, userId, 1),
    guestSignIn: (address) => take(signIns, address, 1),
    httpRequest: (address) => take(requests, address, 1),
    strike: (session) => take(strikes, session, 1),
  };
};

const take = async (limiter: Pick<RateLimiterMemory, 'consume'>, key: string, points: number): Taken => {
  try {
    await limiter.consume(key, points);
    return undefined;
  } catch (refused) {
    // The limiter rejects with its state where the limit is reached, and with an error where it failed.
    if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext);
    throw refused;
  }
};
