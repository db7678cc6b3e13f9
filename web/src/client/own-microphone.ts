import type { MicrophoneState, RoomView } from '@rostrum/shared/protocol/room.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';

/** What the room says about one's own microphone; undefined when one is not on the stage. */
export const ownMicrophone = ({ self, stage }: RoomView): MicrophoneState | undefined =>
  onStage(self.role) ? stage.find(({ userId }) => userId === self.userId)?.microphone : undefined;

/** Whether the room hears nothing of a microphone in this state, whatever it sends. */
export const isMuted = (state: MicrophoneState | undefined): boolean =>
  state === 'muted' || state === 'muted-by-moderator' || state === 'locked';
