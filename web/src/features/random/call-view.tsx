import { useEffect, useState } from 'preact/hooks';
import type { CallSnapshot } from '../../client/call-types.ts';
import { Sheet } from '../../ui/sheet.tsx';
import { useTitle } from '../shell/page-parts.tsx';
import { CallBanners } from './call-banners.tsx';
import { CallControls } from './call-controls.tsx';
import { CallStage } from './call-stage.tsx';
import { CallTop } from './call-top.tsx';
import { Chat } from './chat.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import './call-view.css';

/** A call: who it is with, what is said, and the controls under the thumb. In a text call the chat is all of it. */
export const CallView = ({ call }: { readonly call: CallSnapshot }) => {
  const { chat } = useTalk();
  const words = useTalkWords();
  const wide = useWide();
  useTitle(words.call.with(call.partner.displayName));
  const isText = call.mode === 'text';
  const open = chat.open.value && !isText;
  return (
    <div class="call" key={call.sessionId}>
      <CallTop call={call} />
      <main id="content" class="call__body" tabIndex={-1}>
        <div class="call__main">
          <CallBanners call={call} />
          {isText ? <Chat call={call} first /> : <CallStage call={call} />}
        </div>
        {open && wide && (
          <aside class="call__side">
            <Chat call={call} />
          </aside>
        )}
      </main>
      <CallControls call={call} />
      {open && !wide && (
        <Sheet title={words.chat.title} onClose={() => chat.toggle()}>
          <Chat call={call} bare />
        </Sheet>
      )}
    </div>
  );
};

/** Where the chat has a place beside the call. */
const wideEnough = '(min-width: 960px)';

const useWide = (): boolean => {
  const [wide, setWide] = useState(() => matchMedia(wideEnough).matches);
  useEffect(() => {
    const query = matchMedia(wideEnough);
    const onChange = () => setWide(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return wide;
};
