import type { RoomView } from '@rostrum/shared/protocol/room.ts';
import { mayAct } from '@rostrum/shared/room/permissions.ts';
import type { Messages } from '../../i18n/index.ts';
import type { MicrophoneModel } from './microphone.ts';

/** What stands in the bar under the thumb. */
export type Dock = {
  readonly hand: 'raise' | 'lower' | 'closed' | 'none';
  readonly microphone: boolean;
  readonly stepDown: boolean;
};

export const dockOf = (view: Pick<RoomView, 'info' | 'self'>): Dock => {
  const { role, handPosition, mayRaiseHand } = view.self;
  return {
    hand: mayAct('raise-hand', role)
      ? handOf(handPosition, view.info.permissions.allowHandRaise && mayRaiseHand)
      : 'none',
    microphone: mayAct('open-microphone', role),
    stepDown: mayAct('step-down', role),
  };
};

const handOf = (position: number | null, allowed: boolean): Dock['hand'] => {
  if (position !== null) return 'lower';
  return allowed ? 'raise' : 'closed';
};

/** The one line above the bar: where one stands. */
export const dockStatus = (
  view: Pick<RoomView, 'info' | 'self'>,
  microphone: MicrophoneModel,
  messages: Messages,
): { readonly text: string; readonly tone: 'quiet' | 'live' | 'bad' } => {
  const words = messages.room.status;
  const { self, info } = view;
  if (mayAct('open-microphone', self.role)) return { text: microphone.status, tone: toneOf(microphone.kind) };
  if (self.handPosition !== null) return { text: words.inLine(self.handPosition), tone: 'live' };
  if (!info.permissions.allowHandRaise) return { text: words.handsClosed, tone: 'quiet' };
  return { text: self.mayRaiseHand ? words.listening : words.handWithdrawn, tone: 'quiet' };
};

const toneOf = (kind: MicrophoneModel['kind']): 'quiet' | 'live' | 'bad' => {
  if (kind === 'live') return 'live';
  return kind === 'failed' || kind === 'locked' || kind === 'muted-by-moderator' ? 'bad' : 'quiet';
};
