import { useComputed } from '@preact/signals';
import type { Participant } from '@rostrum/shared/protocol/room.ts';
import { useCallback } from 'preact/hooks';
import { useMessages } from '../../i18n/index.ts';
import type { DrawLevel } from '../../state/room/levels.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { AwayIcon, HostIcon, type Icon, LockIcon, MutedIcon, ShieldIcon } from '../../ui/icons.tsx';
import { Ring } from '../../ui/ring.tsx';
import { useRoom } from './room-context.ts';

const roleIcons: Partial<Record<Participant['role'], Icon>> = { host: HostIcon, moderator: ShieldIcon };

export const RoleMark = ({ role }: { readonly role: Participant['role'] }) => {
  const words = useMessages().room;
  const Shape = roleIcons[role];
  return (
    <span class="face__role">
      {Shape && <Shape />}
      {words.roles[role]}
    </span>
  );
};

/** What is on the rim of a face: a lost connection, else a microphone that is not open. */
const Mark = ({ participant }: { readonly participant: Participant }) => {
  const { away, microphone } = participant;
  if (!away && microphone === 'open') return null;
  const byModerator = microphone === 'locked' || microphone === 'muted-by-moderator';
  const Shape = away ? AwayIcon : markOf(microphone);
  return (
    <span class={away || byModerator ? 'face__mark face__mark--warn' : 'face__mark'}>
      <Shape />
    </span>
  );
};

const markOf = (microphone: Participant['microphone']): Icon => (microphone === 'locked' ? LockIcon : MutedIcon);

/** One person on the stage. Everything about them opens from their face. */
export const StageFace = ({ userId }: { readonly userId: string }) => {
  const room = useRoom();
  const words = useMessages().room;
  const speaking = room.people.speaking(userId);
  const known = room.people.person(userId);
  // What is heard of a face is an attribute: a change of it moves nothing on the page.
  const label = useComputed(() => {
    const participant = known.value?.participant;
    if (participant === undefined) return '';
    const { displayName, role, microphone, away } = participant;
    const name = userId === room.me ? words.namedYou(displayName) : displayName;
    const sound = away ? words.away : words.microphones[microphone];
    return [name, words.roles[role], sound, ...(speaking.value ? [words.speaking] : [])].join(', ');
  });
  const follow = useCallback((draw: DrawLevel) => room.levels.follow(userId, draw), [room, userId]);
  if (known.value === undefined) return null;
  const { participant } = known.value;
  const { displayName, role, away } = participant;
  const open = () => {
    room.sheet.value = { kind: 'person', userId };
  };
  return (
    <li class={away ? 'face face--away' : 'face'}>
      <button type="button" class="face__button" aria-label={label} aria-haspopup="dialog" onClick={open}>
        <span class="face__picture">
          <Ring follow={follow} />
          <Avatar userId={userId} name={displayName} size="stage" />
          <Mark participant={participant} />
        </span>
        <span class="face__name">{userId === room.me ? words.you : displayName}</span>
        <RoleMark role={role} />
      </button>
    </li>
  );
};

/** One person in the audience. */
export const HouseFace = ({
  userId,
  place,
  total,
}: {
  readonly userId: string;
  readonly place: number;
  readonly total: number;
}) => {
  const room = useRoom();
  const words = useMessages().room;
  const person = room.people.person(userId).value;
  if (person === undefined) return null;
  const { displayName, away } = person.participant;
  const open = () => {
    room.sheet.value = { kind: 'person', userId };
  };
  return (
    <li class={away ? 'house__face face--away' : 'house__face'} aria-posinset={place} aria-setsize={total}>
      <button type="button" class="face__button" aria-haspopup="dialog" onClick={open}>
        <span class="face__picture">
          <Avatar userId={userId} name={displayName} size="house" />
          {away && (
            <span class="face__mark face__mark--small face__mark--warn">
              <AwayIcon />
            </span>
          )}
        </span>
        <span class="house__name">{userId === room.me ? words.you : displayName}</span>
        {away && <span class="visually-hidden">{words.away}</span>}
      </button>
    </li>
  );
};
