import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Role, RoomView } from '@rostrum/shared/protocol/room.ts';
import type { Api } from '../../client/api.ts';
import type { LocalMicrophone, Quality, RoomPhase, RoomSession } from '../../client/types.ts';
import type { Messages } from '../../i18n/index.ts';
import type { Clock } from '../clock.ts';
import type { Notices } from '../notices.ts';
import type { Preferences } from '../preferences.ts';
import { type AudiencePages, createAudiencePages } from './audience.ts';
import type { Sound } from './changes.ts';
import { createCommands, type RoomCommands } from './commands.ts';
import { followSession } from './follow.ts';
import { createLevels, type Levels } from './levels.ts';
import { createModerationLog, type ModerationLogStore } from './log.ts';
import type { MicrophoneModel } from './microphone.ts';
import { createPeople, type People } from './people.ts';
import type { Places } from './places.ts';
import { createRoomSignals } from './signals.ts';

/** What lies over the room at the moment: one thing at a time. */
export type RoomSheet =
  | { readonly kind: 'person'; readonly userId: string }
  | {
      readonly kind:
        | 'about'
        | 'settings'
        | 'log'
        | 'mute-all'
        | 'clear-hands'
        | 'end'
        | 'leave'
        | 'microphone'
        | 'shortcuts';
    };

/** A room as the pages show it, folded from what the session tells. */
export type RoomStore = {
  readonly session: RoomSession;
  readonly roomId: string;
  readonly me: string;
  readonly view: ReadonlySignal<RoomView>;
  readonly info: ReadonlySignal<RoomView['info']>;
  readonly self: ReadonlySignal<RoomView['self']>;
  readonly role: ReadonlySignal<Role>;
  readonly staff: ReadonlySignal<RoomView['staff']>;
  readonly stage: ReadonlySignal<Places>;
  /** Where the listeners stand; null where they are not listed one by one. */
  readonly house: ReadonlySignal<Places | null>;
  readonly audienceCount: ReadonlySignal<number>;
  readonly phase: ReadonlySignal<RoomPhase>;
  readonly microphone: ReadonlySignal<MicrophoneModel>;
  readonly localMicrophone: ReadonlySignal<LocalMicrophone>;
  readonly quality: ReadonlySignal<Quality>;
  readonly audioBlocked: ReadonlySignal<boolean>;
  readonly sheet: Signal<RoomSheet | undefined>;
  readonly people: People;
  readonly levels: Levels;
  readonly pages: AudiencePages;
  readonly log: ModerationLogStore;
  readonly commands: RoomCommands;
  readonly preferences: Preferences;
  readonly clock: Clock;
  /** Opens the microphone as it was chosen, or mutes or unmutes it. */
  toggleMicrophone(): void;
  dispose(): void;
};

export type RoomStoreOptions = {
  readonly session: RoomSession;
  readonly api: Pick<Api, 'listParticipants' | 'moderationLog'>;
  readonly notices: Notices;
  readonly preferences: Preferences;
  readonly clock: Clock;
  readonly messages: () => Messages;
  readonly play: (sound: Sound) => void;
  /** Whether motion is to be left out. */
  readonly still: boolean;
};

export const createRoomStore = (options: RoomStoreOptions): RoomStore => {
  const { session, api, notices, preferences, clock, messages } = options;
  const { roomId } = session;
  const me = session.view.self.userId;
  const people = createPeople();
  const signals = createRoomSignals(session, messages);
  const log = createModerationLog({ api, roomId, messages });
  const commands = createCommands({ session, notices, messages });
  let lowered = false;
  people.takeView(session.view);
  people.takeSpeaking(session.speaking);

  // One's own loudness is shown while one is live, whether the server calls it speech yet or not.
  const drawn = computed(() =>
    signals.microphone.value.kind === 'live' ? new Set([...people.speakers.value, me]) : people.speakers.value,
  );
  const levels = createLevels({
    speakers: drawn,
    levelOf: (userId) => session.levelOf(userId),
    still: options.still,
  });
  const stop = followSession({ ...options, signals, people, log, loweredByMe: () => lowered });
  const { view, local, ...shown } = signals;
  return {
    session,
    roomId,
    me,
    ...shown,
    view,
    localMicrophone: local,
    info: computed(() => view.value.info),
    role: computed(() => view.value.self.role),
    staff: computed(() => view.value.staff),
    audienceCount: computed(() => view.value.audience.count),
    sheet: signal(undefined),
    people,
    levels,
    pages: createAudiencePages({ api, roomId, messages, learn: people.learn }),
    log,
    commands: {
      ...commands,
      raiseHand: () => {
        lowered = false;
        return commands.raiseHand();
      },
      lowerHand: () => {
        lowered = true;
        return commands.lowerHand();
      },
    },
    preferences,
    clock,
    toggleMicrophone: () => {
      const { action } = signals.microphone.peek();
      if (action === 'open') void commands.openMicrophone(chosenMicrophone(preferences));
      else if (action !== 'none') void commands.setMuted(action === 'mute');
    },
    dispose: () => {
      stop();
      notices.clear();
      levels.dispose();
    },
  };
};

/** The microphone and its processing as this person chose them; the room's own defaults where they chose nothing. */
export const chosenMicrophone = ({ deviceId, processing }: Preferences) => ({
  ...(deviceId.peek() === undefined ? {} : { deviceId: deviceId.peek() as string }),
  ...(processing.peek() === undefined ? {} : { processing: processing.peek() as boolean }),
});
