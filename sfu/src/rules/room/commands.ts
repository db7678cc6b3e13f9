import type { Limits } from '@rostrum/shared/limits.ts';
import type { RoomChanges } from '@rostrum/shared/protocol/room.ts';
import type { DeadlineKey } from './deadlines.ts';
import type { Person } from './state.ts';

/** Who gives a command: a person, and over the socket the session that must hold their seat. */
export type Actor = { readonly userId: string; readonly sessionId?: string | undefined; readonly operator?: boolean };

/** Everything that can be asked of a room. The edges validate the shapes; `decide` says yes or no. */
export type RoomCommand =
  | {
      readonly type: 'join';
      readonly person: Person;
      readonly sessionId: string;
      /** The node to which this session is connected. */
      readonly node: string;
      readonly bannedByHost: boolean;
    }
  | { readonly type: 'leave'; readonly by: Actor }
  /** The connection of this session to this node broke. */
  | { readonly type: 'lose-connection'; readonly userId: string; readonly sessionId: string; readonly node: string }
  | { readonly type: 'raise-hand'; readonly by: Actor }
  | { readonly type: 'lower-hand'; readonly by: Actor }
  /** Without `userId`, the next in the queue. */
  | { readonly type: 'accept-hand'; readonly by: Actor; readonly userId?: string | undefined }
  /** Without `userId`, the whole queue. */
  | { readonly type: 'decline-hand'; readonly by: Actor; readonly userId?: string | undefined }
  | { readonly type: 'move-hand-to-front'; readonly by: Actor; readonly userId: string }
  | { readonly type: 'allow-hand'; readonly by: Actor; readonly subject: Person; readonly allowed: boolean }
  | { readonly type: 'invite-to-speak'; readonly by: Actor; readonly userId: string }
  | { readonly type: 'answer-invitation'; readonly by: Actor; readonly accept: boolean }
  | { readonly type: 'mute-self'; readonly by: Actor; readonly muted: boolean }
  | { readonly type: 'promote'; readonly by: Actor; readonly userId: string; readonly role: 'speaker' | 'moderator' }
  | { readonly type: 'demote'; readonly by: Actor; readonly userId: string; readonly role: 'speaker' | 'listener' }
  | {
      readonly type: 'mute';
      readonly by: Actor;
      readonly userId: string;
      readonly locked: boolean;
      readonly reason: string | null;
    }
  | { readonly type: 'mute-all'; readonly by: Actor; readonly locked: boolean; readonly reason: string | null }
  | {
      readonly type: 'exclude';
      readonly by: Actor;
      /** With what is known of a guest's traces, so that it holds when they have just left (MO-5). */
      readonly subject: Person;
      readonly ban: boolean;
      readonly reason: string | null;
    }
  /** A ban that was given, or lifted, in another room of the same owner. */
  | {
      readonly type: 'follow-ban';
      readonly lifted: boolean;
      readonly subject: Person;
      readonly by: { readonly userId: string; readonly displayName: string };
      readonly reason: string | null;
    }
  | { readonly type: 'unban'; readonly by: Actor; readonly subject: Person }
  | { readonly type: 'update'; readonly by: Actor; readonly changes: RoomChanges }
  | { readonly type: 'hand-over'; readonly by: Actor; readonly userId: string }
  /** The microphone is open at this node. */
  | { readonly type: 'open-microphone'; readonly by: Actor; readonly producerId: string; readonly node: string }
  | { readonly type: 'close-microphone'; readonly userId: string; readonly producerId?: string | undefined }
  /** The media of the room at this node is gone, and every microphone there with it. */
  | { readonly type: 'lose-media'; readonly node: string }
  | { readonly type: 'end'; readonly by: Actor }
  /** The server that serves the room stops, and no other takes it over. */
  | { readonly type: 'stop' }
  /** A deadline of the room is due. */
  | { readonly type: 'elapse'; readonly deadline: DeadlineKey };

/** What a decision depends on besides state and command. */
export type RoomContext = {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly limits: Limits;
  /** A fresh id for the line of the moderation log that this command may write. */
  readonly entryId: string;
};
