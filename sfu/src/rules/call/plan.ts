import type { Limits } from '@rostrum/shared/limits.ts';
import type { CallOrigin } from './state.ts';

/** RD-8: when the time of a call that is connected now is over, where plans are on: it is as long as the better plan allows. */
export const planEnd = ({ tickets }: CallOrigin, now: number, limits: Limits): number =>
  now + (tickets.some(({ seeker }) => seeker.plan === 'premium') ? limits.premiumCallMs : limits.freeCallMs);
