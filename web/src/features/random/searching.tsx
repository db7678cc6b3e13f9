import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { Queued } from '@rostrum/shared/protocol/random.ts';
import type { SearchNotice } from '../../client/call-types.ts';
import { useLanguage } from '../../i18n/index.ts';
import { noticeWords, searchWords } from '../../state/random/words.ts';
import { CloseIcon, InfoIcon } from '../../ui/icons.tsx';
import { PageBar, useTitle } from '../shell/page-parts.tsx';
import { BarSlot, CallBar } from './call-bar.tsx';
import { OwnMeter } from './preview.tsx';
import { ScreenTitle } from './screen-title.tsx';
import { useNow, useTalk, useTalkWords } from './talk-context.ts';
import './searching.css';

type SearchingProps = {
  readonly mode: CallMode;
  /** Undefined until the server has answered. */
  readonly queued: Queued | undefined;
  readonly notice: SearchNotice | null;
};

/** While one waits: for how long, what helps, and the way out. */
export const Searching = ({ mode, queued, notice }: SearchingProps) => {
  const { commands } = useTalk();
  const words = useTalkWords();
  useTitle(words.search.title);
  return (
    <div class="call">
      <PageBar />
      <main id="content" class="call__body" tabIndex={-1}>
        <div class="call__main searching">
          <ScreenTitle class="talk__title">{words.search.title}</ScreenTitle>
          <Pulse queued={queued} />
          <Facts queued={queued} notice={notice} />
        </div>
      </main>
      <CallBar
        tools={mode !== 'text' && <OwnVoice />}
        end={<BarSlot icon={CloseIcon} text={words.search.stop} tone="raised" onClick={() => void commands.cancel()} />}
      />
    </div>
  );
};

/** A light that comes and goes, with the seconds in it. */
const Pulse = ({ queued }: { readonly queued: Queued | undefined }) => {
  const now = useNow();
  const words = useTalkWords().search;
  const seconds = queued === undefined ? 0 : Math.max(0, Math.floor((now - queued.since) / 1000));
  return (
    <div class="pulse">
      <span class="pulse__light" />
      {/* A timer is not read out every second: the heading says what goes on. */}
      <span class="pulse__seconds" role="timer" aria-live="off">
        {words.seconds(seconds)}
      </span>
    </div>
  );
};

const Facts = ({ queued, notice }: Pick<SearchingProps, 'queued' | 'notice'>) => {
  const { choices } = useTalk();
  const now = useNow();
  const { formats } = useLanguage();
  const words = useTalkWords();
  const languages = choices.chosen.value.languages.map(formats.language);
  const facts = queued === undefined ? [] : searchWords(queued, now, { words, languages });
  return (
    <div class="searching__facts">
      {notice !== null && (
        <div class="searching__notice">
          <InfoIcon />
          <div>
            {noticeWords(notice, words).map((sentence) => (
              <p key={sentence}>{sentence}</p>
            ))}
          </div>
        </div>
      )}
      {facts.map((fact) => (
        <p key={fact}>{fact}</p>
      ))}
    </div>
  );
};

/** One is heard already: whoever comes finds a voice. */
const OwnVoice = () => (
  <div class="searching__voice">
    <OwnMeter />
  </div>
);
