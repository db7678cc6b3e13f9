import { useCallback, useLayoutEffect, useRef } from 'preact/hooks';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { dockOf, dockStatus } from '../../state/room/dock.ts';
import type { MicrophoneKind } from '../../state/room/microphone.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import {
  HandIcon,
  HandOffIcon,
  type Icon,
  LeaveIcon,
  LockIcon,
  MicrophoneIcon,
  MutedIcon,
  SlidersIcon,
  SpeakerIcon,
  StepDownIcon,
} from '../../ui/icons.tsx';
import { useRoom } from './room-context.ts';
import { useLeave } from './use-leave.ts';
import './dock.css';

/** The bar under the thumb: where one stands, and what one does about it. */
export const Dock = () => {
  const room = useRoom();
  const words = useMessages().room;
  const dock = dockOf(room.view.value);
  const askToLeave = useLeave();
  return (
    <footer id="controls" class="dock" tabIndex={-1}>
      {room.audioBlocked.value && <HearRoom />}
      <Standing />
      <div class="dock__controls">
        {dock.stepDown && (
          <SideControl
            icon={StepDownIcon}
            text={words.leaveStage}
            onClick={() => void room.commands.act('leave-stage', selfOf(room))}
          />
        )}
        {dock.microphone && <Microphone />}
        {dock.hand !== 'none' && <HandControl hand={dock.hand} />}
        <SideControl class="dock__leave" icon={LeaveIcon} text={words.leave} onClick={askToLeave} />
      </div>
    </footer>
  );
};

/** One line: where one stands. While the connection is lost it is a bar that says so; what plays goes on playing. */
const Standing = () => {
  const room = useRoom();
  const { messages } = useLanguage();
  if (room.phase.value.phase === 'reconnecting') {
    return <p class="dock__status dock__status--away">{messages.room.status.reconnecting}</p>;
  }
  const { text, tone } = dockStatus(room.view.value, room.microphone.value, messages);
  return <p class={`dock__status dock__status--${tone}`}>{text}</p>;
};

const selfOf = (room: ReturnType<typeof useRoom>) => ({
  userId: room.me,
  displayName: room.people.person(room.me).peek()?.participant.displayName ?? '',
});

type SideControlProps = {
  readonly icon: Icon;
  readonly text: string;
  readonly class?: string;
  readonly onClick: () => void;
};

const SideControl = ({ icon: Shape, text, class: more = '', onClick }: SideControlProps) => (
  <button type="button" class={`dock__side ${more}`} onClick={onClick}>
    <Shape />
    <span>{text}</span>
  </button>
);

/** The browser plays nothing before a tap: this is the one. */
const HearRoom = () => {
  const room = useRoom();
  const words = useMessages().room;
  return (
    <div class="dock__hear">
      <p>{words.hearRoomHint}</p>
      <Button variant="primary" size="large" wide icon={SpeakerIcon} onClick={() => void room.commands.startAudio()}>
        {words.hearRoom}
      </Button>
    </div>
  );
};

const HandControl = ({ hand }: { readonly hand: 'raise' | 'lower' | 'closed' }) => {
  const { commands, audioBlocked } = useRoom();
  const words = useMessages().room;
  if (hand === 'lower') {
    return (
      <Button class="dock__main" size="large" icon={HandOffIcon} onClick={() => void commands.lowerHand()}>
        {words.lowerHand}
      </Button>
    );
  }
  const closed = hand === 'closed';
  return (
    <Button
      class="dock__main"
      variant={closed || audioBlocked.value ? 'neutral' : 'primary'}
      size="large"
      icon={HandIcon}
      disabled={closed}
      onClick={() => void commands.raiseHand()}
    >
      {words.raiseHand}
    </Button>
  );
};

const icons: Record<MicrophoneKind, Icon> = {
  off: MicrophoneIcon,
  asking: MicrophoneIcon,
  live: MicrophoneIcon,
  muted: MutedIcon,
  'muted-by-moderator': MutedIcon,
  locked: LockIcon,
  failed: MicrophoneIcon,
};

/** The microphone: the largest control. While one is live it is lit, and a pool of light in it follows the voice. */
const Microphone = () => {
  const room = useRoom();
  const words = useMessages().microphone;
  const { kind, action, label } = room.microphone.value;
  const Shape = icons[kind];
  return (
    <div class="dock__microphone">
      <button
        type="button"
        class={`microphone microphone--${kind}`}
        aria-disabled={action === 'none'}
        aria-keyshortcuts="m"
        onClick={() => room.toggleMicrophone()}
      >
        {kind === 'live' && <OwnLevel />}
        <Shape />
        <span>{label}</span>
      </button>
      <IconButton
        class="dock__settings"
        variant="neutral"
        icon={SlidersIcon}
        name={words.settings}
        onClick={() => {
          room.sheet.value = { kind: 'microphone' };
        }}
      />
    </div>
  );
};

const OwnLevel = () => {
  const room = useRoom();
  const light = useRef<HTMLSpanElement>(null);
  const follow = useCallback((draw: (level: number) => void) => room.levels.follow(room.me, draw), [room]);
  useLayoutEffect(
    () =>
      follow((level) => {
        if (light.current !== null) light.current.style.transform = `scale(${(1.2 * level).toFixed(3)}, 1)`;
      }),
    [follow],
  );
  return <span ref={light} class="microphone__level" />;
};
