import { useEffect } from 'preact/hooks';
import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { categories } from '../../state/choices.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { Chip } from '../../ui/chip.tsx';
import { MicrophoneIcon, PlusIcon, TalkIcon, WarnIcon } from '../../ui/icons.tsx';
import { EmptyState, Loading } from '../../ui/states.tsx';
import { PageBar, PageTitle, RemedyButton, useTitle } from '../shell/page-parts.tsx';
import { RoomCard, RoomCardSkeleton } from './room-card.tsx';
import './home.css';

/** The rooms that are live now. */
export const HomePage = () => {
  const { rooms, talkService } = useApp();
  const words = useMessages().home;
  useTitle(undefined);
  useEffect(() => rooms.follow(document), [rooms]);
  useEffect(() => talkService.follow(document), [talkService]);
  return (
    <>
      <PageBar />
      <main id="content" class="page home" tabIndex={-1}>
        <div class="home__top">
          <PageTitle>{words.heading}</PageTitle>
          <Actions />
        </div>
        <Filters />
        <Rooms />
      </main>
    </>
  );
};

/** The two large actions, side by side: a room of one's own, or a person one does not know yet. */
const Actions = () => {
  const words = useMessages().home;
  return (
    <div class="actions">
      <LinkButton href="/new" variant="primary" size="large" icon={PlusIcon}>
        {words.startRoom}
      </LinkButton>
      <LinkButton href="/talk" variant="neutral" size="large" icon={TalkIcon}>
        <span class="actions__words">
          {words.talk}
          <TalkNow />
        </span>
      </LinkButton>
    </div>
  );
};

/** How many people are there now; that it is off, where it is (RQ-8). */
const TalkNow = () => {
  const service = useApp().talkService.service.value;
  const words = useMessages().home;
  if (service === undefined) return null;
  return (
    <span class="actions__note">{service.available ? words.talkNow(service.stats.totalActive) : words.talkOff}</span>
  );
};

const Filters = () => {
  const { rooms } = useApp();
  const words = useMessages().home;
  const chosen = rooms.category.value;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be a row that scrolls sideways.
    <div class="chips home__filters" role="group" aria-label={words.filters}>
      <Chip pressed={chosen === undefined} onClick={() => rooms.choose(undefined)}>
        {words.all}
      </Chip>
      {categories.map((category) => (
        <Chip key={category} pressed={chosen === category} onClick={() => rooms.choose(category)}>
          {words.categories[category]}
        </Chip>
      ))}
    </div>
  );
};

const Rooms = () => {
  const { rooms } = useApp();
  const messages = useMessages();
  const words = messages.home;
  const failure = rooms.failure.value;
  if (rooms.status.value === 'loading') {
    return (
      <Loading name={words.loading}>
        <ul class="home__rooms">
          {[1, 2, 3, 4].map((place) => (
            <RoomCardSkeleton key={place} />
          ))}
        </ul>
      </Loading>
    );
  }
  if (rooms.status.value === 'failed' && failure !== undefined) {
    return (
      <EmptyState icon={WarnIcon} title={words.failedTitle} text={failure.text}>
        <RemedyButton failure={failure} retry={() => rooms.retry()} />
      </EmptyState>
    );
  }
  if (rooms.rooms.value.length === 0) return <NoRooms />;
  return (
    <>
      {failure !== undefined && (
        <p class="home__stale" role="status">
          <WarnIcon />
          {words.stale} {failure.text}
        </p>
      )}
      <ul class="home__rooms">
        {rooms.rooms.value.map((room) => (
          <RoomCard key={room.roomId} room={room} />
        ))}
      </ul>
      {rooms.hasMore.value && (
        <div class="home__more">
          <Button aria-disabled={rooms.loadingMore.value} onClick={() => void rooms.more()}>
            {words.moreRooms}
          </Button>
        </div>
      )}
    </>
  );
};

const NoRooms = () => {
  const { rooms } = useApp();
  const words = useMessages().home;
  const category = rooms.category.value;
  if (category === undefined) {
    return <EmptyState icon={MicrophoneIcon} title={words.emptyTitle} text={words.emptyText} />;
  }
  return (
    <EmptyState
      icon={MicrophoneIcon}
      title={words.emptyCategoryTitle(words.categories[category])}
      text={words.emptyCategoryText}
    >
      <Button onClick={() => rooms.choose(undefined)}>{words.showAll}</Button>
    </EmptyState>
  );
};
