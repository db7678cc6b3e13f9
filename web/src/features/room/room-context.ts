import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { RoomStore } from '../../state/room/store.ts';

export type RoomPlace = {
  readonly room: RoomStore;
  /** Gives up the seat and goes to the list of rooms. */
  readonly leave: () => void;
};

export const RoomContext = createContext<RoomPlace | undefined>(undefined);

export const useRoomPlace = (): RoomPlace => {
  const place = useContext(RoomContext);
  if (place === undefined) throw new Error('This component stands outside of a room.');
  return place;
};

export const useRoom = (): RoomStore => useRoomPlace().room;
