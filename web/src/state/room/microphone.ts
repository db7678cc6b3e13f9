import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import type { LocalMicrophone } from '../../client/types.ts';
import type { Messages } from '../../i18n/index.ts';
import { describeMicrophone } from '../failures.ts';

export type MicrophoneKind = 'off' | 'asking' | 'live' | 'muted' | 'muted-by-moderator' | 'locked' | 'failed';

/** The microphone as a person sees it: what it does, in words, and what the one large button does about it. */
export type MicrophoneModel = {
  readonly kind: MicrophoneKind;
  readonly action: 'open' | 'mute' | 'unmute' | 'none';
  readonly label: string;
  readonly status: string;
};

const actions: Record<MicrophoneKind, MicrophoneModel['action']> = {
  off: 'open',
  asking: 'none',
  live: 'mute',
  muted: 'unmute',
  'muted-by-moderator': 'unmute',
  locked: 'none',
  failed: 'open',
};

type Self = Pick<RoomView['self'], 'muted'>;

/** What the room says comes before what this browser does: a locked microphone is locked whether it is open or not. */
const microphoneKind = (local: LocalMicrophone, { muted }: Self): MicrophoneKind => {
  if (muted?.locked === true) return 'locked';
  if (local.state !== 'live') return local.state;
  if (muted !== null && local.muted) return 'muted-by-moderator';
  return local.muted ? 'muted' : 'live';
};

export const microphoneModel = (local: LocalMicrophone, self: Self, messages: Messages): MicrophoneModel => {
  const kind = microphoneKind(local, self);
  return {
    kind,
    action: actions[kind],
    label: messages.microphone.button[kind],
    status: statusOf(kind, local, self, messages),
  };
};

const statusOf = (kind: MicrophoneKind, local: LocalMicrophone, { muted }: Self, messages: Messages): string => {
  const words = messages.microphone;
  if (kind === 'locked' || kind === 'muted-by-moderator') {
    const say = kind === 'locked' ? words.lockedBy : words.mutedBy;
    return muted === null ? words.status.muted : say(muted.byName, muted.reason);
  }
  if (kind === 'failed') return local.state === 'failed' ? describeMicrophone(local.reason, messages) : '';
  return words.status[kind];
};
