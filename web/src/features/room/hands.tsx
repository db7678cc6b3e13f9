import type { Hand } from '@rostrum/shared/protocol/room.ts';
import { mayAct } from '@rostrum/shared/room/permissions.ts';
import { useMessages } from '../../i18n/index.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { CheckIcon, CloseIcon, HandIcon, UpIcon } from '../../ui/icons.tsx';
import { useRoom } from './room-context.ts';
import './hands.css';

/** The queue of raised hands, for those who run the room: in order, accepted with one tap (HD-1, HD-3). */
export const Hands = () => {
  const room = useRoom();
  const words = useMessages().room.hands;
  const staff = room.staff.value;
  if (staff === null || !mayAct('manage-hands', room.role.value)) return null;
  const { hands, invitations } = staff;
  return (
    <section class={hands.length > 0 ? 'hands hands--waiting' : 'hands'} aria-labelledby="hands-title">
      <div class="section__head">
        <h2 id="hands-title" class="section__title">
          {words.title}
        </h2>
        {hands.length > 0 && <span class="section__count">{words.position(hands.length)}</span>}
        {hands.length > 0 && (
          <div class="section__do">
            <Button
              variant="quiet"
              onClick={() => {
                room.sheet.value = { kind: 'clear-hands' };
              }}
            >
              {words.clear}
            </Button>
            <Button variant="neutral" onClick={() => void room.commands.acceptNext()}>
              {words.takeNext}
            </Button>
          </div>
        )}
      </div>
      {hands.length + invitations.length === 0 ? (
        <p class="hands__empty">{room.info.value.permissions.allowHandRaise ? words.empty : words.closed}</p>
      ) : (
        <ol class="hands__list">
          {hands.map((hand, index) => (
            <HandRow key={hand.userId} hand={hand} place={index + 1} />
          ))}
          {invitations.map(({ userId, displayName }) => (
            <li key={`invited-${userId}`} class="hand hand--invited">
              <Avatar userId={userId} name={displayName} size="card" />
              <p class="hand__words">{words.invited(displayName)}</p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
};

const HandRow = ({ hand, place }: { readonly hand: Hand; readonly place: number }) => {
  const room = useRoom();
  const words = useMessages().room.hands;
  const { userId, displayName, raisedAt } = hand;
  const act = (name: 'accept-hand' | 'decline-hand' | 'hand-to-front') => () => void room.commands.act(name, hand);
  const open = () => {
    room.sheet.value = { kind: 'person', userId };
  };
  return (
    <li class="hand">
      <button type="button" class="hand__person" aria-haspopup="dialog" onClick={open}>
        <span class="hand__place">{words.position(place)}</span>
        <Avatar userId={userId} name={displayName} size="card" />
        <span class="hand__words">
          <span class="hand__name">{displayName}</span>
          <span class="hand__since">
            <HandIcon />
            <Waiting since={raisedAt} />
          </span>
        </span>
      </button>
      <span class="hand__do">
        {place > 1 && <IconButton icon={UpIcon} name={words.toFront(displayName)} onClick={act('hand-to-front')} />}
        <IconButton icon={CloseIcon} name={words.decline(displayName)} onClick={act('decline-hand')} />
        <Button
          variant={place === 1 ? 'primary' : 'neutral'}
          icon={CheckIcon}
          aria-label={words.acceptName(displayName)}
          onClick={act('accept-hand')}
        >
          {words.accept}
        </Button>
      </span>
    </li>
  );
};

const Waiting = ({ since }: { readonly since: number }) => {
  const { clock } = useRoom();
  const words = useMessages().room.hands;
  return <>{words.waiting(Math.max(0, clock.everyHalfMinute.value - since))}</>;
};
