import type { CallSnapshot } from '../../client/call-types.ts';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { deviceWords, lostWords, timeLeft } from '../../state/random/words.ts';
import { Button } from '../../ui/button.tsx';
import { AwayIcon, ClockIcon, MicrophoneIcon, WarnIcon } from '../../ui/icons.tsx';
import { useNow, useTalk, useTalkWords } from './talk-context.ts';

type CallProps = { readonly call: CallSnapshot };

/** Bars over the call: nothing moves when they come and go. */
export const CallBanners = ({ call }: CallProps) => (
  <div class="call__banners">
    {call.phase === 'reconnecting' && <Lost call={call} />}
    {call.mode !== 'text' && <NotHeard />}
    {call.extension.endsAt !== null && <TimeLeft call={call} />}
  </div>
);

/** RD-5: a side is lost, and the call resumes where it was while the seconds last. */
const Lost = ({ call }: CallProps) => {
  const now = useNow();
  const words = useTalkWords();
  return (
    <p class="banner banner--away" role="timer" aria-live="off">
      <AwayIcon />
      {lostWords(call, now, words)}
    </p>
  );
};

/** The microphone went away, or a page that was reloaded may not open it by itself. */
const NotHeard = () => {
  const { commands, preview } = useTalk();
  const messages = useMessages();
  const words = useTalkWords();
  const state = preview.value;
  if (state.state === 'ready') return null;
  if (state.state === 'asking') {
    return (
      <p class="banner" role="status">
        <MicrophoneIcon />
        {words.preview.asking.voice}
      </p>
    );
  }
  return (
    <div class="banner banner--bad">
      <WarnIcon />
      <p class="banner__text" role="alert">
        {state.state === 'failed' ? deviceWords(state, words.preview, messages) : words.call.notHeard}
      </p>
      <Button variant="primary" onClick={() => void commands.openDevices()}>
        {state.state === 'failed' ? messages.retry : words.call.turnOn}
      </Button>
    </div>
  );
};

/** RD-8: the end of the call is near, and both may agree to more. */
const TimeLeft = ({ call }: CallProps) => {
  const { commands } = useTalk();
  const { formats } = useLanguage();
  const words = useTalkWords();
  const left = timeLeft(call, useNow(), { words, formats });
  if (left === undefined) return null;
  return (
    <div class="banner">
      <ClockIcon />
      <p class="banner__text">{left.text}</p>
      {left.ask !== 'asked' && (
        <Button variant="primary" onClick={() => void commands.extend()}>
          {left.ask === 'agree' ? words.call.agree : words.call.extend}
        </Button>
      )}
    </div>
  );
};
