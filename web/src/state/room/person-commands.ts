import type { Participant } from '@rostrum/shared/protocol/room.ts';
import type { RoomSession } from '../../client/types.ts';
import type { Messages } from '../../i18n/index.ts';
import type { Notices } from '../notices.ts';
import type { PersonAct } from './acts.ts';
import type { Attempt } from './attempt.ts';

export type Named = Pick<Participant, 'userId' | 'displayName'>;

/** What is done to one person. */
export type PersonCommands = {
  /** Does an act upon a person and says what came of it. */
  act(act: PersonAct, person: Named, reason?: string): Promise<void>;
  /** Takes back what keeps somebody out. */
  liftExclusion(person: Named): Promise<void>;
};

export type CommandOptions = {
  readonly session: RoomSession;
  readonly notices: Notices;
  readonly messages: () => Messages;
  readonly attempt: Attempt;
};

export const reasonOf = (text: string | undefined): { readonly reason?: string } =>
  text === undefined || text.trim() === '' ? {} : { reason: text.trim() };

export const createPersonCommands = ({ session, notices, messages, attempt }: CommandOptions): PersonCommands => {
  const liftExclusion: PersonCommands['liftExclusion'] = ({ userId, displayName }) =>
    attempt.tell(() => session.unban(userId), messages().acts.done.undone(displayName));

  /** What keeps somebody out can be taken back at once (ui: Words). */
  const exclude = async (run: () => Promise<void>, text: string, person: Named) => {
    if (!(await attempt.well(run))) return;
    notices.show({ text, tone: 'neutral', action: { label: messages().undo, run: () => void liftExclusion(person) } });
  };
  const bringUp = async (userId: string, displayName: string, role: 'speaker' | 'moderator') => {
    const words = messages().acts.done;
    let outcome: 'promoted' | 'invited' | undefined;
    const well = await attempt.well(async () => {
      outcome = await session.promote(userId, role);
    });
    if (!well) return;
    const promoted = role === 'moderator' ? words.appointed(displayName) : words.promoted(displayName);
    notices.show({ text: outcome === 'invited' ? words.invited(displayName) : promoted, tone: 'neutral' });
  };
  const act: PersonCommands['act'] = async (name, person, reason) => {
    const { userId, displayName } = person;
    const { tell } = attempt;
    const done = messages().acts.done;
    const why = reasonOf(reason);
    const deeds: Record<PersonAct, () => Promise<void>> = {
      'accept-hand': () => tell(() => session.acceptHand(userId)),
      'decline-hand': () => tell(() => session.declineHand(userId)),
      'hand-to-front': () => tell(() => session.moveHandToFront(userId)),
      'invite-to-speak': () => tell(() => session.inviteToSpeak(userId), done.invited(displayName)),
      mute: () => tell(() => session.mute(userId), done.muted(displayName)),
      'mute-locked': () => tell(() => session.mute(userId, { locked: true, ...why }), done.muted(displayName)),
      unlock: () => tell(() => session.mute(userId, { locked: false }), done.unlocked(displayName)),
      'to-audience': () => tell(() => session.demote(userId, 'listener'), done.toAudience(displayName)),
      appoint: () => bringUp(userId, displayName, 'moderator'),
      dismiss: () => tell(() => session.demote(userId, 'speaker'), done.dismissed(displayName)),
      'hand-over': () => tell(() => session.handOver(userId), done.handedOver(displayName)),
      'withdraw-hand': () => tell(() => session.setHandAllowed(userId, false), done.handWithdrawn(displayName)),
      'restore-hand': () => tell(() => session.setHandAllowed(userId, true), done.handRestored(displayName)),
      kick: () => exclude(() => session.kick(userId, why.reason), done.kicked(displayName), person),
      ban: () => exclude(() => session.ban(userId, why.reason), done.banned(displayName), person),
      'leave-stage': () => tell(() => session.stepDown()),
    };
    await deeds[name]();
  };
  return { act, liftExclusion };
};
