import type { Limits } from '@rostrum/shared/limits.ts';
import type { LiveState } from './app-state.ts';
import type { Records } from './records/records.ts';
import type { AppLogger } from './runtime/logger.ts';
import type { Opened } from './runtime/parts.ts';

type Parts = {
  readonly records: Records;
  readonly state: LiveState;
  readonly limits: Pick<Limits, 'heartbeatMs' | 'nodeSilentMs'>;
  readonly logger: AppLogger;
  readonly opened: Opened;
};

/**
 * Where no live state is left of what the records have as going on, it ended with the processes that served it. That a Redis holds
 * nothing does not mean so yet: it may have come back empty, and other nodes be about to write back what they hold (RE-4). So it is
 * asked when each of them has had its time, and about what was there before this node.
 */
export const endLost = async (parts: Parts): Promise<void> => {
  const { state, limits, logger, opened } = parts;
  const at = state.clock.now();
  const { waiting, calls } = await state.calls.counts();
  if (waiting + calls + (await state.rooms.count()) > 0) return;
  if (state.shared === undefined) return end(parts, at);
  const later = (): void => {
    // What cannot be read now is asked at the next start.
    end(parts, at).catch((error: unknown) =>
      logger.warn({ err: error }, 'what an earlier run left could not be closed'),
    );
  };
  opened('what an earlier run left', setTimeout(later, limits.nodeSilentMs + limits.heartbeatMs), clearTimeout);
};

const end = async ({ records, state, logger }: Parts, at: number): Promise<void> => {
  const older = await state.rooms.list({ limit: 1, only: ({ createdAt }) => createdAt <= at });
  const rooms = older.length > 0 ? 0 : await records.rooms.endAll(at, 'server-stopped');
  const calls = (await hasCallsBy(state, at)) ? 0 : await records.calls.endAll(at, 'server-stopped');
  if (rooms + calls > 0) logger.info({ rooms, calls }, 'rooms and calls of an earlier run were closed');
};

/** Whether a call goes on that began by then. */
const hasCallsBy = async ({ calls }: LiveState, at: number): Promise<boolean> => {
  for (const callId of await calls.callIds()) {
    const loaded = await calls.load(callId);
    if (loaded && loaded.call.matchedAt <= at) return true;
  }
  return false;
};
