import { useMemo } from 'preact/hooks';
import type { RoomStore } from '../../state/room/store.ts';
import { useTitle } from '../shell/page-parts.tsx';
import { Dock } from './dock.tsx';
import { Hands } from './hands.tsx';
import { House } from './house.tsx';
import { RoomContext } from './room-context.ts';
import { RoomSheets } from './room-sheets.tsx';
import { Stage } from './stage.tsx';
import { TopBar } from './top-bar.tsx';
import { useKeys } from './use-keys.ts';
import { useMediaSession } from './use-media-session.ts';
import './room.css';

type RoomViewProps = { readonly room: RoomStore; readonly leave: () => void };

/** The inside of a room: the stage, the hands below it, the house, and the controls under the thumb. */
export const RoomView = ({ room, leave }: RoomViewProps) => {
  const place = useMemo(() => ({ room, leave }), [room, leave]);
  useTitle(room.info.value.title);
  useKeys(room);
  useMediaSession(room, leave);
  return (
    <RoomContext.Provider value={place}>
      <div class="room">
        <TopBar />
        <main id="content" class="room__body" tabIndex={-1}>
          <div class="room__main">
            <Stage />
            <Hands />
          </div>
          <div class="room__side">
            <House />
          </div>
        </main>
        <Dock />
        <RoomSheets />
      </div>
    </RoomContext.Provider>
  );
};
