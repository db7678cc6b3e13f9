import type { Limits } from '@rostrum/shared/limits.ts';
import { deadlinesOf } from '../rules/room/deadlines.ts';
import type { DueDeadline, RoomStore } from '../state/room-store.ts';
import type { RoomEngine } from './room-engine.ts';

type Parts = {
  readonly store: Pick<RoomStore, 'clearDeadline'>;
  readonly engine: Pick<RoomEngine, 'execute'>;
  readonly limits: Limits;
};

/** Sends a room the deadline that is due. */
export const createRoomDeadlines =
  ({ store, engine, limits }: Parts) =>
  async (due: DueDeadline): Promise<void> => {
    const result = await engine.execute(due.roomId, { type: 'elapse', deadline: due.key });
    // A clock that was set back finds it not due yet. Its cause stands, so it must stay: no later commit would set it again.
    const causeless = result.ok
      ? deadlinesOf(result.value.after, limits).get(due.key) !== due.at
      : result.refusal.code !== 'unavailable';
    if (causeless) await store.clearDeadline(due);
  };
