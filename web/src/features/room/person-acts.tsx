import { sizes } from '@rostrum/shared/limits.ts';
import type { Participant } from '@rostrum/shared/protocol/room.ts';
import { useState } from 'preact/hooks';
import { type Messages, useMessages } from '../../i18n/index.ts';
import { dangerous, type PersonAct } from '../../state/room/acts.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import {
  BanIcon,
  CheckIcon,
  CloseIcon,
  HandIcon,
  HandOffIcon,
  HostIcon,
  type Icon,
  LockIcon,
  MicrophoneIcon,
  MutedIcon,
  PersonInIcon,
  PersonOutIcon,
  ShieldIcon,
  StepDownIcon,
  UpIcon,
} from '../../ui/icons.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import { useRoom } from './room-context.ts';

export const actIcons: Record<PersonAct, Icon> = {
  'accept-hand': CheckIcon,
  'hand-to-front': UpIcon,
  'decline-hand': CloseIcon,
  'invite-to-speak': PersonInIcon,
  mute: MutedIcon,
  'mute-locked': LockIcon,
  unlock: MicrophoneIcon,
  'to-audience': StepDownIcon,
  appoint: ShieldIcon,
  dismiss: ShieldIcon,
  'hand-over': HostIcon,
  'withdraw-hand': HandOffIcon,
  'restore-hand': HandIcon,
  kick: PersonOutIcon,
  ban: BanIcon,
  'leave-stage': StepDownIcon,
};

/** The name of an act; those that hurt name whom they hurt (ui: Words). */
export const actName = (act: PersonAct, name: string, ownRoom: boolean, words: Messages['acts']): string => {
  const names: Record<PersonAct, string> = {
    'accept-hand': words.acceptHand,
    'hand-to-front': words.toFront,
    'decline-hand': words.declineHand,
    'invite-to-speak': words.inviteToSpeak,
    mute: words.mute,
    'mute-locked': words.muteLocked,
    unlock: words.unlock,
    'to-audience': words.toAudience,
    appoint: words.appoint,
    dismiss: words.dismiss,
    'hand-over': words.handOver,
    'withdraw-hand': words.withdrawHand,
    'restore-hand': words.restoreHand,
    kick: words.kick(name),
    ban: ownRoom ? words.ban(name) : words.banFromHost(name),
    'leave-stage': words.leaveStage,
  };
  return names[act];
};

type Question = { readonly title: string; readonly text: string; readonly confirm: string; readonly reason: boolean };

const questionOf = (act: PersonAct, name: string, words: Messages['acts']): Question | undefined => {
  switch (act) {
    case 'mute-locked':
      return {
        title: words.muteLockedTitle(name),
        text: words.muteLockedText,
        confirm: words.muteLockedConfirm(name),
        reason: true,
      };
    case 'kick':
      return { title: words.kickTitle(name), text: words.kickText, confirm: words.kick(name), reason: true };
    case 'ban':
      return { title: words.banTitle(name), text: words.banText, confirm: words.banConfirm(name), reason: true };
    case 'hand-over':
      return {
        title: words.handOverTitle(name),
        text: words.handOverText,
        confirm: words.handOverConfirm(name),
        reason: false,
      };
    default:
      return undefined;
  }
};

/** Acts that are asked about before they are done: those that hurt, and the one that gives the room away. */
export const asksFirst = (act: PersonAct): boolean =>
  act === 'mute-locked' || act === 'kick' || act === 'ban' || act === 'hand-over';

type ConfirmActProps = {
  readonly act: PersonAct;
  readonly participant: Participant;
  readonly onBack: () => void;
  readonly onClose: () => void;
};

export const ConfirmAct = ({ act, participant, onBack, onClose }: ConfirmActProps) => {
  const { commands } = useRoom();
  const messages = useMessages();
  const [reason, setReason] = useState('');
  const question = questionOf(act, participant.displayName, messages.acts);
  if (question === undefined) return null;
  const confirm = (event: Event) => {
    event.preventDefault();
    onClose();
    void commands.act(act, participant, reason);
  };
  return (
    <Sheet title={question.title} onClose={onClose}>
      <form class="form form--sheet" onSubmit={confirm}>
        <p>{question.text}</p>
        {question.reason && (
          <TextField
            label={messages.acts.reason}
            hint={messages.acts.reasonHint}
            value={reason}
            onInput={setReason}
            maxLength={sizes.reason}
          />
        )}
        <SheetFoot>
          <Button variant="quiet" onClick={onBack}>
            {messages.cancel}
          </Button>
          <Button type="submit" variant={dangerous.has(act) ? 'danger' : 'primary'}>
            {question.confirm}
          </Button>
        </SheetFoot>
      </form>
    </Sheet>
  );
};
