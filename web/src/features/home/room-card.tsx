import { sizes } from '@rostrum/shared/limits.ts';
import type { RoomCard as Card } from '@rostrum/shared/protocol/rest.ts';
import { useLanguage } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { pathOf } from '../../state/router.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { ClockIcon, ListenersIcon } from '../../ui/icons.tsx';
import { Skeleton } from '../../ui/states.tsx';

/** Names that a card spells out; the others are a number. */
const namedFaces = 2;

/** One room in the list: what it is about, who is on stage, how many listen, for how long. */
export const RoomCard = ({ room }: { readonly room: Card }) => {
  const { messages, formats } = useLanguage();
  const words = messages.home;
  const { roomId, title, category, language, listenerCount } = room;
  return (
    <li class="card">
      <p class="card__kind">
        <span lang={language}>{formats.language(language)}</span> · {words.categories[category]}
      </p>
      <h2 class="card__title">
        <a class="card__link" href={pathOf({ page: 'room', roomId })} lang={language}>
          {title}
        </a>
      </h2>
      <RoomStage room={room} />
      <p class="card__facts">
        <span class="card__fact">
          <ListenersIcon />
          {words.listening(listenerCount)}
        </span>
        <Since room={room} />
      </p>
    </li>
  );
};

/** Who is on the stage of a room that one is not in. */
export const RoomStage = ({ room }: { readonly room: Pick<Card, 'faces' | 'stageCount'> }) => {
  const { messages } = useLanguage();
  const faces = room.faces.slice(0, sizes.facesOnCard);
  const named = faces.slice(0, namedFaces).map((face) => face.displayName);
  return (
    <div class="card__stage">
      {faces.length > 0 && (
        <span class="card__faces">
          {faces.map((face) => (
            <Avatar key={face.userId} userId={face.userId} name={face.displayName} size="card" />
          ))}
        </span>
      )}
      <span class="card__names">{messages.home.onStage(named, Math.max(0, room.stageCount - named.length))}</span>
    </div>
  );
};

const Since = ({ room }: { readonly room: Card }) => {
  const { messages } = useLanguage();
  const { clock } = useApp();
  if (room.startedAt === null) return null;
  const ms = Math.max(0, clock.everyHalfMinute.value - room.startedAt);
  return (
    <span class="card__fact">
      <ClockIcon />
      <span aria-hidden="true">{messages.home.since(ms)}</span>
      <span class="visually-hidden">{messages.home.sinceLabel(ms)}</span>
    </span>
  );
};

export const RoomCardSkeleton = () => (
  <li class="card">
    <Skeleton width="38%" height="var(--text-15)" />
    <Skeleton width="82%" height="var(--text-22)" />
    <div class="card__stage">
      <Skeleton width="var(--face-card)" height="var(--face-card)" round />
      <Skeleton width="50%" height="var(--text-15)" />
    </div>
    <Skeleton width="60%" height="var(--text-17)" />
  </li>
);
