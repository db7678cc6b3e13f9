import type { Traces, UserRecord } from '../records/records.ts';
import type { Directory } from './ports.ts';

/** Who people are, from their accounts. */
type People = {
  find(userId: string): Promise<UserRecord | undefined>;
  tracesOf(userId: string): Promise<Traces | undefined>;
};

export const createDirectory = (people: People): Directory => ({
  person: async (userId) => {
    const user = await people.find(userId);
    if (!user) return undefined;
    // Only guests are known by their traces: a member's address may be that of a whole office (MO-2).
    const traces = user.kind === 'guest' ? await people.tracesOf(userId) : undefined;
    return { userId, displayName: user.displayName, kind: user.kind, ...traces };
  },
});
