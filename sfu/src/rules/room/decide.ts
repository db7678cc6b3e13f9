import { refuse } from '@rostrum/shared/result.ts';
import type { RoomCommand, RoomContext } from './commands.ts';
import { type Decision, Draft } from './decide/draft.ts';
import { acceptHand, allowHand, declineHand, lowerHand, moveHandToFront, raiseHand } from './decide/hands.ts';
import { join, leave, loseConnection, settleListing } from './decide/membership.ts';
import { exclude, followBan, mute, muteAll, unban } from './decide/moderation.ts';
import { elapse, end, handOver, stop, update } from './decide/room.ts';
import {
  answerInvitation,
  closeMicrophone,
  demote,
  inviteToSpeak,
  loseMedia,
  muteSelf,
  openMicrophone,
  promote,
} from './decide/stage.ts';
import type { RoomEvent } from './events.ts';
import { evolve } from './evolve.ts';
import type { RoomState } from './state.ts';

/**
 * The rules of a room: what a command comes to in this state. Pure; the same state, command and context always give the
 * same decision. A refusal changes nothing.
 */
export const decide = (state: RoomState, command: RoomCommand, context: RoomContext): Decision => {
  if (state.control.status === 'ended') return refuse('room_ended');
  const decision = rule(state, command, context);
  if (!decision.ok || decision.value.length === 0) return decision;
  return settled(state, decision.value, context);
};

const rule = (state: RoomState, command: RoomCommand, context: RoomContext): Decision => {
  switch (command.type) {
    case 'join':
      return join(state, command, context);
    case 'leave':
      return leave(state, command, context);
    case 'lose-connection':
      return loseConnection(state, command, context);
    case 'raise-hand':
      return raiseHand(state, command, context);
    case 'lower-hand':
      return lowerHand(state, command, context);
    case 'accept-hand':
      return acceptHand(state, command, context);
    case 'decline-hand':
      return declineHand(state, command, context);
    case 'move-hand-to-front':
      return moveHandToFront(state, command, context);
    case 'allow-hand':
      return allowHand(state, command, context);
    case 'invite-to-speak':
      return inviteToSpeak(state, command, context);
    case 'answer-invitation':
      return answerInvitation(state, command, context);
    case 'mute-self':
      return muteSelf(state, command, context);
    case 'promote':
      return promote(state, command, context);
    case 'demote':
      return demote(state, command, context);
    case 'mute':
      return mute(state, command, context);
    case 'mute-all':
      return muteAll(state, command, context);
    case 'exclude':
      return exclude(state, command, context);
    case 'follow-ban':
      return followBan(state, command, context);
    case 'unban':
      return unban(state, command, context);
    case 'update':
      return update(state, command, context);
    case 'hand-over':
      return handOver(state, command, context);
    case 'open-microphone':
      return openMicrophone(state, command, context);
    case 'close-microphone':
      return closeMicrophone(state, command, context);
    case 'end':
      return end(state, command, context);
    case 'lose-media':
      return loseMedia(state, command, context);
    case 'stop':
      return stop(state, context);
    case 'elapse':
      return elapse(state, command, context);
    default:
      return command satisfies never;
  }
};

/** What holds after every command: whether the audience is listed follows from how many there are (RM-10). */
const settled = (state: RoomState, events: readonly RoomEvent[], context: RoomContext): Decision => {
  const draft = new Draft(events.reduce(evolve, state), context);
  settleListing(draft);
  return { ok: true, value: [...events, ...draft.events] };
};
