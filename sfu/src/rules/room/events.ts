import type {
  EndReason,
  Hand,
  LeaveReason,
  ModerationEntry,
  OpenInvitation,
  Role,
  RoomSettings,
} from '@rostrum/shared/protocol/room.ts';
import type { Mute, Person, Seat } from './state.ts';

/** What happened in a room. `evolve` folds it into the state, `project` turns it into what people see. */
export type RoomEvent = { readonly at: number } & (
  | {
      readonly type: 'opened';
      readonly roomId: string;
      readonly hostId: string;
      readonly settings: RoomSettings;
      readonly endsAt: number;
    }
  | { readonly type: 'joined'; readonly seat: Seat }
  /** Another device of the same person took the seat (ID-5). */
  | {
      readonly type: 'seat-moved';
      readonly userId: string;
      readonly from: string;
      readonly to: string;
      readonly node: string;
    }
  /** The session that holds the seat is connected to another node now (RE-2). Its media is still where it was. */
  | { readonly type: 'seat-relocated'; readonly userId: string; readonly from: string; readonly to: string }
  | { readonly type: 'seat-resumed'; readonly userId: string }
  | { readonly type: 'seat-lost'; readonly userId: string }
  | { readonly type: 'left'; readonly userId: string; readonly role: Role; readonly reason: LeaveReason }
  | {
      readonly type: 'role-changed';
      readonly userId: string;
      readonly from: Role;
      readonly to: Role;
      readonly byName: string | null;
    }
  | { readonly type: 'moderator-appointed'; readonly userId: string }
  | { readonly type: 'moderator-dismissed'; readonly userId: string }
  | {
      readonly type: 'host-changed';
      readonly to: string;
      readonly formerHost: { readonly userId: string; readonly until: number } | null;
    }
  | { readonly type: 'hand-raised'; readonly hand: Hand }
  | { readonly type: 'hand-lowered'; readonly userId: string }
  | { readonly type: 'hand-moved-to-front'; readonly userId: string }
  | { readonly type: 'hand-right-changed'; readonly userId: string; readonly allowed: boolean }
  | { readonly type: 'invited'; readonly invitation: OpenInvitation }
  | {
      readonly type: 'invitation-closed';
      readonly userId: string;
      readonly outcome: 'accepted' | 'declined' | 'expired' | 'withdrawn';
    }
  | { readonly type: 'mute-changed'; readonly userId: string; readonly mute: Mute | null }
  /** In place of one that the person had at another node, where there was one. */
  | {
      readonly type: 'microphone-opened';
      readonly userId: string;
      readonly producerId: string;
      readonly node: string;
    }
  | { readonly type: 'microphone-closed'; readonly userId: string; readonly producerId: string }
  | {
      readonly type: 'excluded';
      readonly subject: Person;
      readonly banned: boolean;
      readonly byId: string;
      readonly byName: string;
      readonly reason: string | null;
      /** Until when a guest's address and device are covered; null for others. */
      readonly tracesUntil: number | null;
    }
  | { readonly type: 'readmitted'; readonly subject: Person }
  /** They come back as listeners, whatever `anyoneCanSpeak` says; or that no longer holds. */
  | { readonly type: 'returned-to-audience'; readonly userId: string; readonly holds: boolean }
  | { readonly type: 'moderated'; readonly entry: ModerationEntry }
  | { readonly type: 'updated'; readonly settings: RoomSettings }
  | { readonly type: 'audience-listing-changed'; readonly listed: boolean }
  | { readonly type: 'end-announced'; readonly endsAt: number }
  | { readonly type: 'ended'; readonly reason: EndReason }
);

export type RoomEventOf<Type extends RoomEvent['type']> = Extract<RoomEvent, { type: Type }>;
