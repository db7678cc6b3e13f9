import { useCallback } from 'preact/hooks';
import type { PreviewState } from '../../client/call-types.ts';
import { useMessages } from '../../i18n/index.ts';
import { deviceWords } from '../../state/random/words.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { SlidersIcon, WarnIcon } from '../../ui/icons.tsx';
import { Meter } from '../../ui/meter.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import { Video } from './video.tsx';
import './preview.css';

/** How often the meter is drawn, in milliseconds. */
const meterMs = 60;

/** One's own microphone and camera, before anybody is searched (RQ-10). They open when asked for, never by themselves. */
export const Preview = () => {
  const { preview, choices, start } = useTalk();
  const words = useTalkWords().preview;
  const state = preview.value;
  const mode = choices.chosen.value.mode === 'video' ? 'video' : 'voice';
  switch (state.state) {
    case 'off':
      return (
        <Button variant="quiet" onClick={() => void start.look()}>
          {words.check[mode]}
        </Button>
      );
    case 'asking':
      return (
        <p class="preview__note" role="status">
          {words.asking[mode]}
        </p>
      );
    case 'failed':
      return <PreviewFailed failed={state} />;
    case 'ready':
      return <PreviewReady stream={state.stream} picture={mode === 'video' && state.camera !== null} />;
    default:
      return state satisfies never;
  }
};

type PreviewReadyProps = { readonly stream: MediaStream; readonly picture: boolean };

const PreviewReady = ({ stream, picture }: PreviewReadyProps) => {
  const { sheet } = useTalk();
  const words = useTalkWords().preview;
  return (
    <div class="look">
      {picture && <Video class="look__picture" stream={stream} name={words.picture} mirrored />}
      <div class="look__row">
        <OwnMeter />
        <IconButton
          icon={SlidersIcon}
          name={words.devices}
          onClick={() => {
            sheet.value = { kind: 'devices' };
          }}
        />
      </div>
      <p class="preview__note">{picture ? words.ready.video : words.ready.voice}</p>
    </div>
  );
};

/** How loud one is oneself. */
export const OwnMeter = () => {
  const { calls } = useTalk();
  const words = useTalkWords().preview;
  const microphoneWords = useMessages().microphone;
  const follow = useCallback(
    (draw: (level: number) => void) => {
      const timer = setInterval(() => draw(calls.peek()?.levelOf('me') ?? 0), meterMs);
      return () => clearInterval(timer);
    },
    [calls],
  );
  return <Meter name={words.level} follow={follow} textOf={microphoneWords.levelNow} />;
};

/** What went wrong, what to do about it, and how to talk without it. */
const PreviewFailed = ({ failed }: { readonly failed: Extract<PreviewState, { state: 'failed' }> }) => {
  const { start, commands } = useTalk();
  const messages = useMessages();
  const words = useTalkWords().preview;
  return (
    <div class="look">
      <p class="form__failure" role="alert">
        <WarnIcon />
        {deviceWords(failed, words, messages)}
      </p>
      <div class="look__do">
        <Button onClick={() => void start.look()}>{messages.retry}</Button>
        {failed.device === 'camera' ? (
          <Button variant="quiet" onClick={() => void commands.chooseMode('voice')}>
            {words.talkByVoice}
          </Button>
        ) : (
          <Button variant="quiet" onClick={() => void commands.chooseMode('text')}>
            {words.talkByText}
          </Button>
        )}
      </div>
    </div>
  );
};
