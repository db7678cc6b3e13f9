import type { RoomChanges } from '@rostrum/shared/protocol/room.ts';
import { describeFailure, type Failure } from '../failures.ts';
import { createAttempt } from './attempt.ts';
import { type CommandOptions, createPersonCommands, type PersonCommands, reasonOf } from './person-commands.ts';

/** What the pages do in a room. A failure is told in words; nothing here throws. */
export type RoomCommands = PersonCommands & {
  acceptNext(): Promise<void>;
  clearHands(): Promise<void>;
  raiseHand(): Promise<void>;
  lowerHand(): Promise<void>;
  answerInvitation(accept: boolean): Promise<void>;
  muteAll(locked: boolean, reason: string): Promise<void>;
  end(): Promise<void>;
  /** Answers the failure, for a form to place. */
  update(changes: RoomChanges): Promise<Failure | undefined>;
  openMicrophone(options: { readonly deviceId?: string; readonly processing?: boolean }): Promise<void>;
  setMuted(muted: boolean): Promise<void>;
  startAudio(): Promise<void>;
};

export const createCommands = (options: Omit<CommandOptions, 'attempt'>): RoomCommands => {
  const { session, notices, messages } = options;
  const attempt = createAttempt(notices, messages);
  const { tell } = attempt;
  return {
    ...createPersonCommands({ ...options, attempt }),
    acceptNext: () => tell(() => session.acceptHand()),
    clearHands: () => tell(() => session.declineHand()),
    raiseHand: () => tell(() => session.raiseHand()),
    lowerHand: () => tell(() => session.lowerHand()),
    answerInvitation: (accept) => tell(() => session.answerInvitation(accept)),
    muteAll: (locked, reason) =>
      tell(() => session.muteAll({ locked, ...reasonOf(reason) }), messages().acts.done.mutedAll),
    end: () => tell(() => session.end()),
    update: async (changes) => {
      try {
        await session.update(changes);
        notices.show({ text: messages().roomForm.saved, tone: 'neutral' });
        return undefined;
      } catch (error) {
        return describeFailure(error, messages());
      }
    },
    // The session tells a failure of the microphone as its state; a refusal of the server is told here.
    openMicrophone: (options) => tell(() => session.openMicrophone(options)),
    setMuted: (muted) => tell(() => session.setMuted(muted)),
    startAudio: () => tell(() => session.startAudio()),
  };
};
