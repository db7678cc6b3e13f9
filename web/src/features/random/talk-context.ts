import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { TalkMessages } from '../../i18n/index.ts';
import type { TalkStore } from '../../state/random/store.ts';

export type TalkPlace = {
  readonly talk: TalkStore;
  readonly words: TalkMessages;
  /** Whether another screen than the first is shown: the first leaves the focus where the browser puts it. */
  readonly moved: () => boolean;
};

export const TalkContext = createContext<TalkPlace | undefined>(undefined);

export const useTalkPlace = (): TalkPlace => {
  const place = useContext(TalkContext);
  if (place === undefined) throw new Error('This component stands outside of the page of random calls.');
  return place;
};

export const useTalk = (): TalkStore => useTalkPlace().talk;
export const useTalkWords = (): TalkMessages => useTalkPlace().words;

/** The server's time, as it is now and at every second from now on. */
export const useNow = (): number => {
  const { clock } = useTalk();
  return Math.max(clock.everySecond.value, clock.now());
};
