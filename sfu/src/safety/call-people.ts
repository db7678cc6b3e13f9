import type { CallPerson, CallRecord } from '../records/call-records.ts';

/** The other person of a call; undefined for somebody who was not in it. */
export const partnerIn = ({ people }: CallRecord, userId: string): CallPerson | undefined => {
  const [first, second] = people;
  if (first.userId === userId) return second;
  return second.userId === userId ? first : undefined;
};
