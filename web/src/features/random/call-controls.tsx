import { useLayoutEffect, useRef } from 'preact/hooks';
import type { CallSnapshot } from '../../client/call-types.ts';
import { followVoice } from '../../state/random/voice.ts';
import { Button } from '../../ui/button.tsx';
import { ChatIcon, HangUpIcon, NextIcon, VideoIcon, VideoOffIcon } from '../../ui/call-icons.tsx';
import { MicrophoneIcon, MutedIcon, SpeakerIcon } from '../../ui/icons.tsx';
import { BarSlot, CallBar } from './call-bar.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';

type CallProps = { readonly call: CallSnapshot };

/** Mute · camera · chat · next · end. */
export const CallControls = ({ call }: CallProps) => {
  const { commands } = useTalk();
  const words = useTalkWords().call;
  return (
    <CallBar
      above={call.audioBlocked && <Hear call={call} />}
      tools={
        call.mode !== 'text' && (
          <>
            <Microphone call={call} />
            {call.mode === 'video' && <Camera call={call} />}
            <ChatControl />
          </>
        )
      }
      next={
        <BarSlot
          icon={NextIcon}
          text={words.next}
          name={words.nextLong}
          tone="raised"
          keys="Escape"
          onClick={() => void commands.next()}
        />
      }
      end={
        <BarSlot
          icon={HangUpIcon}
          text={words.end}
          name={words.endLong}
          tone="danger"
          onClick={() => void commands.end()}
        />
      }
    />
  );
};

/** The browser plays nothing before a tap: this is the one. */
const Hear = ({ call }: CallProps) => {
  const { commands } = useTalk();
  const words = useTalkWords().call;
  return (
    <div class="callbar__hear">
      <p>{words.hearHint}</p>
      <Button variant="primary" size="large" wide icon={SpeakerIcon} onClick={() => void commands.startAudio()}>
        {words.hear(call.partner.displayName)}
      </Button>
    </div>
  );
};

const Microphone = ({ call }: CallProps) => {
  const { commands } = useTalk();
  const words = useTalkWords().call;
  return (
    <BarSlot
      icon={call.muted ? MutedIcon : MicrophoneIcon}
      text={call.muted ? words.unmute : words.mute}
      tone={call.muted ? 'off' : 'plain'}
      keys="m"
      onClick={commands.toggleMute}
    >
      {!call.muted && <OwnLevel />}
    </BarSlot>
  );
};

/** A pool of light in the control follows one's own voice. */
const OwnLevel = () => {
  const { calls, still } = useTalk();
  const light = useRef<HTMLSpanElement>(null);
  useLayoutEffect(
    () =>
      followVoice({ levelOf: () => calls.peek()?.levelOf('me') ?? 0, still }, (level) => {
        if (light.current !== null) light.current.style.opacity = Math.min(1, 2 * level).toFixed(2);
      }),
    [calls, still],
  );
  return <span ref={light} class="slot__level" />;
};

const Camera = ({ call }: CallProps) => {
  const { commands } = useTalk();
  const words = useTalkWords().call;
  const off = call.video.state === 'off' && call.video.why !== 'path';
  return (
    <BarSlot
      icon={off ? VideoOffIcon : VideoIcon}
      text={words.camera}
      name={off ? words.cameraOn : words.cameraOff}
      tone={off ? 'off' : 'plain'}
      onClick={() => void commands.toggleCamera()}
    />
  );
};

/** Where the focus goes back to from the chat. */
export const chatControlId = 'chat-control';

const ChatControl = () => {
  const { chat } = useTalk();
  const words = useTalkWords().call;
  const unread = chat.unread.value;
  return (
    <BarSlot
      id={chatControlId}
      icon={ChatIcon}
      text={words.chat}
      {...(unread > 0 ? { name: words.chatUnread(unread) } : {})}
      keys="c"
      expanded={chat.open.value}
      onClick={chat.toggle}
    >
      {unread > 0 && <span class="slot__mark">{unread}</span>}
    </BarSlot>
  );
};
