import { useEffect } from 'preact/hooks';
import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { modes } from '../../state/random/choices.ts';
import { readyFor } from '../../state/random/start.ts';
import { LinkButton } from '../../ui/button.tsx';
import { ChatIcon, VideoIcon } from '../../ui/call-icons.tsx';
import { ClockIcon, type Icon, MicrophoneIcon, TalkIcon } from '../../ui/icons.tsx';
import { EmptyState, Loading, Skeleton } from '../../ui/states.tsx';
import { FormFailure, PageBar, useTitle } from '../shell/page-parts.tsx';
import { Choices } from './choices.tsx';
import { Preview } from './preview.tsx';
import { ScreenTitle } from './screen-title.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import { WhyOff } from './why-off.tsx';
import './idle.css';

/** Before a search: one large button, and what one may choose. */
export const Idle = () => {
  const talk = useTalk();
  const words = useTalkWords();
  useTitle(words.title);
  const off = talk.service.value?.available === false;
  useCounts(off);
  return (
    <>
      <PageBar />
      <main id="content" class="talk" tabIndex={-1}>
        <section class="talk__stage">
          <ScreenTitle class="talk__title">{words.title}</ScreenTitle>
          {off ? (
            <SwitchedOff />
          ) : (
            <>
              <Here />
              <Modes />
              <Begin />
            </>
          )}
        </section>
        {!off && <Choices />}
      </main>
    </>
  );
};

export const Opening = () => {
  const words = useTalkWords();
  useTitle(words.title);
  return (
    <>
      <PageBar />
      <main id="content" class="talk" tabIndex={-1}>
        <section class="talk__stage">
          <Loading name={words.opening}>
            <h1 class="talk__title">{words.title}</h1>
            <Skeleton width="var(--talk)" height="var(--talk)" round />
          </Loading>
        </section>
      </main>
    </>
  );
};

/** Whoever has no connection yet asks for the counts now and then; whoever waits for it to be on again asks for that. */
const useCounts = (off: boolean) => {
  const { talkService } = useApp();
  const told = useTalk().calls.value !== undefined && !off;
  useEffect(() => (told ? undefined : talkService.follow(document)), [told, talkService]);
};

const Here = () => {
  const stats = useTalk().service.value?.stats;
  const words = useTalkWords();
  return (
    <p class="talk__here">
      {stats !== undefined && (
        <>
          {stats.totalActive > 0 && <span class="talk__dot" />}
          {words.here(stats.totalActive)}
        </>
      )}
    </p>
  );
};

const modeIcons: Record<(typeof modes)[number], Icon> = {
  voice: MicrophoneIcon,
  video: VideoIcon,
  text: ChatIcon,
};

const Modes = () => {
  const { choices, commands } = useTalk();
  const words = useTalkWords();
  const { mode } = choices.chosen.value;
  return (
    <fieldset class="modes">
      <legend class="visually-hidden">{words.mode}</legend>
      {modes.map((one) => {
        const Shape = modeIcons[one];
        return (
          <label key={one} class="mode">
            <input
              class="mode__input"
              type="radio"
              name="mode"
              value={one}
              checked={one === mode}
              onChange={() => void commands.chooseMode(one)}
            />
            <Shape />
            {words.modes[one]}
          </label>
        );
      })}
    </fieldset>
  );
};

/** The large button, with one's own picture and level once the browser was asked for them (RQ-10). */
const Begin = () => {
  const { start, choices, preview } = useTalk();
  const words = useTalkWords();
  const { mode } = choices.chosen.value;
  const looking = mode !== 'text' && preview.value.state === 'ready' && readyFor(mode, preview.value);
  const picture = looking && mode === 'video';
  const busy = start.busy.value;
  const idleLabel = looking ? words.startReady : words.start;
  return (
    <>
      {picture && <Preview />}
      <button
        type="button"
        class={picture ? 'begin begin--wide' : 'begin'}
        aria-disabled={busy}
        aria-keyshortcuts="Space"
        onClick={() => void start.begin()}
      >
        <TalkIcon />
        {busy ? words.starting : idleLabel}
      </button>
      {!picture && mode !== 'text' && <Preview />}
      <FormFailure text={start.failure.value?.text} />
    </>
  );
};

/** RQ-8 */
const SwitchedOff = () => {
  const messages = useMessages();
  const words = useTalkWords().unavailable;
  return (
    <EmptyState icon={ClockIcon} title={words.title} text={<WhyOff />}>
      <LinkButton variant="primary" href="/">
        {messages.goHome}
      </LinkButton>
    </EmptyState>
  );
};
