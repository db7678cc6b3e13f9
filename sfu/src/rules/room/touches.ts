import type { RoomCommand } from './commands.ts';
import { deadlineUser } from './deadlines.ts';
import { type Person, type RoomControl, standingKeys, userKey } from './state.ts';

/** The entries beside the control record that a command reads or writes. */
export type Touched = { readonly users: readonly string[]; readonly standings: readonly string[] };

/** Which seats of the audience and which standings a command touches, given the control record. */
export const touches = (command: RoomCommand, control: RoomControl): Touched => {
  const users = new Set(usersOf(command, control));
  const subject = subjectOf(command);
  return {
    users: [...users],
    standings: [...new Set([...[...users].map(userKey), ...(subject ? standingKeys(subject) : [])])],
  };
};

const usersOf = (command: RoomCommand, control: RoomControl): string[] => {
  switch (command.type) {
    case 'join':
      // The acting host stands down when a former host returns, and may be anybody on the stage: those are in the record.
      return [command.person.userId, control.hostId];
    case 'lose-connection':
    case 'close-microphone':
      return [command.userId];
    case 'elapse':
      return [deadlineUser(command.deadline) ?? control.hostId];
    case 'accept-hand':
    case 'decline-hand':
      return [command.by.userId, command.userId ?? control.hands[0]?.userId ?? command.by.userId];
    case 'mute-all':
      return [command.by.userId, ...control.stage.map((seat) => seat.userId)];
    case 'follow-ban':
      return [command.subject.userId];
    case 'exclude':
    case 'unban':
    case 'allow-hand':
      return [command.by.userId, command.subject.userId];
    case 'invite-to-speak':
    case 'promote':
    case 'demote':
    case 'mute':
    case 'move-hand-to-front':
    case 'hand-over':
      return [command.by.userId, command.userId];
    case 'leave':
    case 'raise-hand':
    case 'lower-hand':
    case 'answer-invitation':
    case 'mute-self':
    case 'update':
    case 'open-microphone':
    case 'end':
      return [command.by.userId];
    case 'lose-media':
    case 'stop':
      return [];
    default:
      return command satisfies never;
  }
};

/** People whose traces count, besides their id. */
const subjectOf = (command: RoomCommand): Person | undefined => {
  if (command.type === 'join') return command.person;
  return command.type === 'exclude' || command.type === 'unban' || command.type === 'follow-ban'
    ? command.subject
    : undefined;
};
