import { computed, signal } from '@preact/signals';
import type { Role, RoomView } from '@rostrum/shared/protocol/room.ts';
import type { RoomSession } from '../../client/types.ts';
import type { Messages } from '../../i18n/index.ts';
import { microphoneModel } from './microphone.ts';
import { type Places, settle } from './places.ts';

/** The order in which people take their places when one comes in. */
const rank: Record<Role, number> = { host: 0, moderator: 1, speaker: 2, listener: 3 };
export const stageOrder = (view: RoomView) =>
  [...view.stage].sort((a, b) => rank[a.role] - rank[b.role] || a.joinedAt - b.joinedAt).map(({ userId }) => userId);

export type RoomSignals = ReturnType<typeof createRoomSignals>;

/** Signals that hold what the session says. */
export const createRoomSignals = (session: RoomSession, messages: () => Messages) => {
  const view = signal(session.view);
  const local = signal(session.microphone);
  const self = computed(() => view.value.self);
  return {
    view,
    self,
    local,
    phase: signal(session.phase),
    quality: signal(session.quality),
    audioBlocked: signal(session.audioBlocked),
    stage: signal<Places>(settle([], stageOrder(session.view))),
    house: signal<Places | null>(placesOf(null, session.view)),
    microphone: computed(() => microphoneModel(local.value, self.value, messages())),
  };
};

export const placesOf = (before: Places | null, { audience }: RoomView): Places | null =>
  audience.members === null
    ? null
    : settle(
        before ?? [],
        audience.members.map(({ userId }) => userId),
      );
