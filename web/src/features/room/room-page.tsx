import { useEffect, useMemo } from 'preact/hooks';
import { useApp } from '../../state/app.ts';
import { Doorway } from './doorway.tsx';
import { RoomView } from './room-view.tsx';

/** A room: its door, and what is behind it. Leaving the page gives up the seat; closing the tab keeps it for a while. */
export const RoomPage = ({ roomId }: { readonly roomId: string }) => {
  const { openRoom, router } = useApp();
  const entrance = useMemo(() => openRoom(roomId), [openRoom, roomId]);
  useEffect(() => {
    entrance.enter();
    const onHide = () => entrance.suspend();
    const onShow = (event: PageTransitionEvent) => {
      if (event.persisted) entrance.enter();
    };
    addEventListener('pagehide', onHide);
    addEventListener('pageshow', onShow);
    return () => {
      removeEventListener('pagehide', onHide);
      removeEventListener('pageshow', onShow);
      void entrance.leave();
    };
  }, [entrance]);
  const state = entrance.state.value;
  if (state.state === 'inside') return <RoomView room={state.room} leave={() => router.go({ page: 'home' })} />;
  return <Doorway state={state} enter={() => entrance.enter()} />;
};
