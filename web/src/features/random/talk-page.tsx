import { useEffect, useMemo, useRef } from 'preact/hooks';
import { microphonePermission } from '../../client/devices.ts';
import { type TalkMessages, useLanguage } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { createTalkStore, type TalkStore } from '../../state/random/store.ts';
import { After } from './after.tsx';
import { CallView } from './call-view.tsx';
import { Idle, Opening } from './idle.tsx';
import { Out } from './out.tsx';
import { Searching } from './searching.tsx';
import { TalkContext } from './talk-context.ts';
import { TalkSheets } from './talk-sheets.tsx';
import { useTalkKeys } from './use-talk-keys.ts';
import './talk.css';

/** Random calls. Leaving the page ends the call; closing the tab leaves the time to come back that there is. */
export const TalkPage = ({ words }: { readonly words: TalkMessages }) => {
  const app = useApp();
  const { messages, formats } = useLanguage();
  const talk = useMemo(
    () =>
      createTalkStore({
        ...app,
        words,
        formats,
        messages: () => messages,
        languages: navigator.languages,
        permission: microphonePermission,
      }),
    [app, words, messages, formats],
  );
  useEffect(() => {
    talk.open();
    const onHide = () => talk.suspend();
    const onShow = (event: PageTransitionEvent) => {
      if (event.persisted) talk.open();
    };
    addEventListener('pagehide', onHide);
    addEventListener('pageshow', onShow);
    return () => {
      removeEventListener('pagehide', onHide);
      removeEventListener('pageshow', onShow);
      void talk.leave();
    };
  }, [talk]);
  useTalkKeys(talk);
  const moved = useMoved(screenOf(talk));
  const place = useMemo(() => ({ talk, words, moved }), [talk, words, moved]);
  return (
    <TalkContext.Provider value={place}>
      <Screen talk={talk} />
      <TalkSheets />
    </TalkContext.Provider>
  );
};

const screenOf = (talk: TalkStore): string => (talk.opening.value ? 'opening' : talk.phase.value.phase);

const useMoved = (screen: string): (() => boolean) => {
  const first = useRef(screen);
  const moved = useRef(false);
  if (screen !== first.current && first.current !== 'opening') moved.current = true;
  first.current = screen;
  return useMemo(() => () => moved.current, []);
};

const Screen = ({ talk }: { readonly talk: TalkStore }) => {
  const phase = talk.phase.value;
  if (talk.opening.value) return <Opening />;
  switch (phase.phase) {
    case 'idle':
    case 'refused':
      return <Idle />;
    case 'starting':
      return <Searching mode={phase.mode} queued={undefined} notice={null} />;
    case 'queued':
      return <Searching mode={phase.queued.mode} queued={phase.queued} notice={phase.notice} />;
    case 'call':
      return <CallView call={phase.call} />;
    case 'after':
      return <After ended={phase} />;
    case 'out':
      return <Out reason={phase.reason} />;
    default:
      return phase satisfies never;
  }
};
