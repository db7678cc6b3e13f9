import { batch } from '@preact/signals';
import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';
import type { LocalMicrophone, RoomPhase, RoomSession } from '../../client/types.ts';
import type { Messages } from '../../i18n/index.ts';
import { describeMicrophone } from '../failures.ts';
import type { Notices } from '../notices.ts';
import { type Change, changesBetween, type Sound } from './changes.ts';
import type { ModerationLogStore } from './log.ts';
import type { People } from './people.ts';
import { settle } from './places.ts';
import { placesOf, type RoomSignals, stageOrder } from './signals.ts';

export type FollowOptions = {
  readonly session: RoomSession;
  readonly notices: Notices;
  readonly messages: () => Messages;
  readonly play: (sound: Sound) => void;
  readonly signals: RoomSignals;
  readonly people: People;
  readonly log: ModerationLogStore;
  /** Whether this person lowered their hand themselves just now. */
  readonly loweredByMe: () => boolean;
};

/** A hand that came down is told this much later: whoever was brought on stage in the meantime knows why. */
const handMs = 500;

/** Follows the session: every event into its signal, and what is new into words and sounds. */
export const followSession = (options: FollowOptions): (() => void) => {
  const { session, signals, people, log } = options;
  const stops = [
    session.on('view', (view) => takeView(options, view)),
    session.on('phase', (phase) => takePhase(options, phase)),
    session.on('microphone', (local) => takeMicrophone(options, local)),
    session.on('speaking', people.takeSpeaking),
    session.on('moderated', log.take),
    session.on('quality', (quality) => {
      signals.quality.value = quality;
    }),
    session.on('audioBlocked', (blocked) => {
      signals.audioBlocked.value = blocked;
    }),
    session.on('promoted', ({ byName }) => {
      const words = options.messages().room.promoted;
      options.notices.show({ text: `${words.title(byName)} ${words.text}`, tone: 'neutral' }, 'assertive');
      options.play('join');
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};

const takeView = (options: FollowOptions, view: RoomView): void => {
  const { signals, people, messages } = options;
  const before = signals.view.peek();
  batch(() => {
    people.takeView(view);
    signals.view.value = view;
    signals.stage.value = settle(signals.stage.peek(), stageOrder(view));
    signals.house.value = placesOf(signals.house.peek(), view);
  });
  for (const change of changesBetween(before, view, messages())) {
    if (change.handLowered !== true) tell(options, change);
    else if (!options.loweredByMe()) setTimeout(tellLoweredHand, handMs, options, change);
  }
};

const tell = ({ notices, play }: FollowOptions, { text, urgency, shown, sound }: Change): void => {
  if (shown === true) notices.show({ text, tone: 'neutral' }, urgency);
  else notices.say(text, urgency);
  if (sound !== undefined) play(sound);
};

const tellLoweredHand = (options: FollowOptions, change: Change): void => {
  const { role, handPosition } = options.signals.view.peek().self;
  if (!onStage(role) && handPosition === null) tell(options, change);
};

const takeMicrophone = (options: FollowOptions, local: LocalMicrophone): void => {
  const { signals, notices, messages, play } = options;
  const before = signals.microphone.peek().kind;
  signals.local.value = local;
  const { kind, status } = signals.microphone.peek();
  tellDevice(options, local);
  if (kind === before) return;
  if (kind === 'failed') notices.say(status, 'assertive');
  if (kind !== 'live' || (before !== 'off' && before !== 'asking')) return;
  play('live');
  notices.say(messages().room.announce.live, 'assertive');
};

/** A microphone that is live, but not as it was asked for. */
const tellDevice = ({ notices, messages }: FollowOptions, local: LocalMicrophone): void => {
  if (local.state !== 'live' || local.notice === undefined) return;
  const words = messages().microphone;
  const { notice, label } = local;
  const text =
    notice.kind === 'fell-back'
      ? words.fellBack(label)
      : words.notSwitched(describeMicrophone(notice.reason, messages()));
  notices.show({ text, tone: 'bad' });
};

const takePhase = ({ signals, notices, messages }: FollowOptions, phase: RoomPhase): void => {
  const back = signals.phase.peek().phase === 'reconnecting' && phase.phase === 'live';
  signals.phase.value = phase;
  if (phase.phase === 'reconnecting') notices.say(messages().room.status.reconnecting);
  if (back) notices.say(messages().room.status.reconnected);
};
