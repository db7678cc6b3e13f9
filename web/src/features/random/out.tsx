import type { RandomPhase } from '../../client/call-types.ts';
import { type TalkMessages, useMessages } from '../../i18n/index.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { ClockIcon, type Icon, SwapIcon, WarnIcon } from '../../ui/icons.tsx';
import { FormFailure, PageBar, useTitle } from '../shell/page-parts.tsx';
import { ScreenTitle } from './screen-title.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import { WhyOff } from './why-off.tsx';

type Reason = Extract<RandomPhase, { phase: 'out' }>['reason'];

const icons: Partial<Record<Reason, Icon>> = {
  timeout: ClockIcon,
  unavailable: ClockIcon,
  elsewhere: SwapIcon,
  'joined-elsewhere': SwapIcon,
};

/** Out of the queue, or of the call, without having asked for it: why, and one click goes on. */
export const Out = ({ reason }: { readonly reason: Reason }) => {
  const { start } = useTalk();
  const words = useTalkWords();
  const off = reason === 'unavailable';
  const title = off ? words.unavailable.title : words.out[reason].title;
  useTitle(title);
  const Shape = icons[reason] ?? WarnIcon;
  return (
    <>
      <PageBar />
      <main id="content" class="page page--narrow" tabIndex={-1}>
        <div class="empty">
          <span class="empty__mark">
            <Shape />
          </span>
          <ScreenTitle class="empty__title">{title}</ScreenTitle>
          <div class="empty__text">{off ? <WhyOff /> : <p>{words.out[reason].text}</p>}</div>
          <FormFailure text={start.failure.value?.text} />
          <div class="empty__do">{off ? <Home /> : <GoOn reason={reason} />}</div>
        </div>
      </main>
    </>
  );
};

const Home = () => {
  const messages = useMessages();
  return (
    <LinkButton variant="primary" size="large" href="/">
      {messages.goHome}
    </LinkButton>
  );
};

const GoOn = ({ reason }: { readonly reason: Reason }) => {
  const { start, commands } = useTalk();
  const words = useTalkWords();
  const busy = start.busy.value;
  return (
    <>
      <Button
        variant="primary"
        size="large"
        aria-disabled={busy}
        aria-keyshortcuts="Space"
        onClick={() => void start.begin()}
      >
        {busy ? words.starting : againOf(reason, words)}
      </Button>
      <Button size="large" onClick={commands.dismiss}>
        {words.out.back}
      </Button>
    </>
  );
};

const againOf = (reason: Reason, words: TalkMessages): string => {
  if (reason === 'timeout') return words.keepWaiting;
  return reason === 'elsewhere' || reason === 'joined-elsewhere' ? words.out.here : words.out.again;
};
