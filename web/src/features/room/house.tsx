import { sizes } from '@rostrum/shared/limits.ts';
import { seesAudience } from '@rostrum/shared/room/permissions.ts';
import { useEffect } from 'preact/hooks';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import type { Places } from '../../state/room/places.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { LinkIcon } from '../../ui/icons.tsx';
import { Loading, Skeleton } from '../../ui/states.tsx';
import { VirtualGrid } from '../../ui/virtual-grid.tsx';
import { RemedyButton } from '../shell/page-parts.tsx';
import { HouseFace } from './face.tsx';
import { useRoom } from './room-context.ts';
import { useCopyLink } from './use-copy-link.ts';
import './house.css';

/** Who listens: the dim part of the room. A large audience comes in pages, and is searched (RM-10). */
export const House = () => {
  const room = useRoom();
  const { messages, formats } = useLanguage();
  const words = messages.room;
  const places = room.house.value;
  const count = room.audienceCount.value;
  const sees = seesAudience(room.role.value, room.info.value);
  return (
    <section class="house" aria-labelledby="house-title">
      <div class="section__head">
        <h2 id="house-title" class="section__title">
          {words.audience}
        </h2>
        <span class="section__count">{formats.number(count)}</span>
      </div>
      {/* A hundred faces lie between the stage and the microphone. */}
      <a class="skip" href="#controls">
        {words.skipAudience}
      </a>
      {!sees && <p class="house__note">{words.audienceHidden}</p>}
      {sees && places !== null && <ListedHouse places={places} />}
      {/* A newcomer hears the room before the list of its people is there. */}
      {sees && places === null && (room.info.value.audienceListed ? <FacesToCome /> : <PagedHouse />)}
    </section>
  );
};

const ListedHouse = ({ places }: { readonly places: Places }) => {
  const words = useMessages().room;
  if (places.length === 0) return <EmptyHouse />;
  return (
    <VirtualGrid
      class="house__faces"
      name={words.audience}
      count={places.length}
      render={(index) => {
        const userId = places[index] ?? null;
        if (userId === null) return <li key={`free-${index}`} class="house__face" aria-hidden="true" />;
        return <HouseFace key={userId} userId={userId} place={index + 1} total={places.length} />;
      }}
    />
  );
};

const FacesToCome = () => (
  <Loading>
    <div class="house__faces">
      {['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((place) => (
        <Skeleton key={place} width="var(--face-house)" height="var(--face-house)" round />
      ))}
    </div>
  </Loading>
);

const EmptyHouse = () => {
  const words = useMessages().room;
  const copyLink = useCopyLink();
  return (
    <>
      <p class="house__note">{words.audienceEmpty}</p>
      <Button class="house__do" icon={LinkIcon} onClick={copyLink}>
        {words.copyLink}
      </Button>
    </>
  );
};

/** Pages are asked for again this often, so that those who left do not stay listed. */
const refreshMs = 15_000;

const PagedHouse = () => {
  const { pages } = useRoom();
  const messages = useMessages();
  const words = messages.room;
  useEffect(() => {
    void pages.refresh();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && pages.people.peek().length <= sizes.pageMax) void pages.refresh();
    }, refreshMs);
    return () => {
      clearInterval(timer);
      pages.dispose();
    };
  }, [pages]);
  return (
    <>
      <TextField
        label={words.audienceSearch}
        search
        value={pages.query.value}
        onInput={(query) => pages.search(query)}
        enterkeyhint="search"
        spellcheck={false}
      />
      <FoundPeople />
    </>
  );
};

const FoundPeople = () => {
  const { pages } = useRoom();
  const messages = useMessages();
  const words = messages.room;
  const people = pages.people.value;
  const failure = pages.failure.value;
  const query = pages.query.value.trim();
  if (pages.status.value === 'loading') return <FacesToCome />;
  return (
    <>
      {failure !== undefined && (
        <p class="house__note" role="status">
          {failure.text}
        </p>
      )}
      {failure !== undefined && people.length === 0 && (
        <RemedyButton failure={failure} retry={() => void pages.refresh()} />
      )}
      {failure === undefined && people.length === 0 && query !== '' && (
        <p class="house__note" role="status">
          {words.audienceNoMatch(query)}
        </p>
      )}
      {people.length > 0 && (
        <VirtualGrid
          class="house__faces"
          name={words.audience}
          count={people.length}
          render={(index) => {
            const userId = people[index]?.userId;
            return userId === undefined ? null : (
              <HouseFace key={userId} userId={userId} place={index + 1} total={people.length} />
            );
          }}
        />
      )}
      {pages.hasMore.value && (
        <Button wide onClick={() => void pages.more()}>
          {words.audienceMore}
        </Button>
      )}
    </>
  );
};
