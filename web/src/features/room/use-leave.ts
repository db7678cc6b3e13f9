import { mayAct } from '@rostrum/shared/room/permissions.ts';
import { useRoomPlace } from './room-context.ts';

/** Leaves, but asks a host first: the room then passes on, or ends (RM-7). */
export const useLeave = (): (() => void) => {
  const { room, leave } = useRoomPlace();
  return () => {
    if (mayAct('end', room.role.peek())) room.sheet.value = { kind: 'leave' };
    else leave();
  };
};
