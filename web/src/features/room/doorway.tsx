import type { RoomCard } from '@rostrum/shared/protocol/rest.ts';
import type { ComponentChildren } from 'preact';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import type { Failure } from '../../state/failures.ts';
import type { Entrance, Farewell } from '../../state/room/entrance.ts';
import { Button, LinkButton } from '../../ui/button.tsx';
import { BanIcon, ClockIcon, SwapIcon, WarnIcon } from '../../ui/icons.tsx';
import { EmptyState, Loading, Skeleton } from '../../ui/states.tsx';
import { RoomStage } from '../home/room-card.tsx';
import { PageBar, PageTitle, RemedyButton, useTitle } from '../shell/page-parts.tsx';
import { NameForm } from '../shell/sign-in.tsx';
import './doorway.css';

type DoorwayProps = { readonly state: Exclude<Entrance, { state: 'inside' }>; readonly enter: () => void };

/** Before and after the room: a name is asked for, it is being opened, it cannot be, it is over. */
export const Doorway = ({ state, enter }: DoorwayProps) => {
  switch (state.state) {
    case 'asking':
      return <Asking preview={state.preview} />;
    case 'joining':
      return <Joining preview={state.preview} />;
    case 'refused':
      return <Refused failure={state.failure} enter={enter} />;
    case 'gone':
      return <Gone farewell={state.farewell} title={state.title} enter={enter} />;
    default:
      return state satisfies never;
  }
};

const Hall = ({ children }: { readonly children: ComponentChildren }) => (
  <>
    <PageBar />
    <main id="content" class="page page--narrow" tabIndex={-1}>
      {children}
    </main>
  </>
);

/** The room as those see it who are not in it yet. */
const Preview = ({ room }: { readonly room: RoomCard }) => {
  const { messages, formats } = useLanguage();
  return (
    <section class="preview">
      <p class="card__kind">
        {formats.language(room.language)} · {messages.home.categories[room.category]}
      </p>
      <h2 class="preview__title" lang={room.language}>
        {room.title}
      </h2>
      <RoomStage room={room} />
      <p class="card__facts">{messages.home.listening(room.listenerCount)}</p>
    </section>
  );
};

const Asking = ({ preview }: { readonly preview: RoomCard | undefined }) => {
  const { auth } = useApp();
  const messages = useMessages();
  useTitle(preview?.title ?? messages.room.joinTitle);
  return (
    <Hall>
      <PageTitle>{messages.room.joinTitle}</PageTitle>
      {preview && <Preview room={preview} />}
      <div class="doorway__name">
        <h2 class="doorway__question">{messages.signIn.title}</h2>
        <p class="page__intro">{messages.signIn.intro}</p>
        <div class="form">
          <NameForm
            label={messages.signIn.name}
            hint={messages.signIn.hint}
            submit={messages.signIn.submitForRoom}
            onName={(name) => auth.signIn(name)}
            autofocus
          />
        </div>
      </div>
    </Hall>
  );
};

const Joining = ({ preview }: { readonly preview: RoomCard | undefined }) => {
  const words = useMessages().room;
  useTitle(preview?.title ?? words.joining);
  return (
    <Hall>
      <Loading name={words.joining}>
        <PageTitle>{words.joining}…</PageTitle>
        <div class="doorway__faces">
          {['host', 'second', 'third'].map((place) => (
            <Skeleton key={place} width="var(--face-stage)" height="var(--face-stage)" round />
          ))}
        </div>
      </Loading>
    </Hall>
  );
};

const Refused = ({ failure, enter }: { readonly failure: Failure; readonly enter: () => void }) => {
  const messages = useMessages();
  const words = messages.room.gone;
  const broken = failure.remedy === 'retry' || failure.remedy === 'reload';
  const title = broken ? words.failedTitle : words.refusedTitle;
  useTitle(title);
  return (
    <Hall>
      <EmptyState level={1} icon={broken ? WarnIcon : BanIcon} title={title} text={failure.text}>
        <RemedyButton failure={failure} retry={enter} />
        {failure.remedy !== 'home' && <LinkButton href="/">{messages.goHome}</LinkButton>}
      </EmptyState>
    </Hall>
  );
};

const Gone = ({
  farewell,
  title,
  enter,
}: {
  readonly farewell: Farewell;
  readonly title: string;
  readonly enter: () => void;
}) => {
  const messages = useMessages();
  const words = messages.room.gone;
  useTitle(title);
  const home = (
    <LinkButton variant="primary" href="/">
      {messages.goHome}
    </LinkButton>
  );
  switch (farewell.phase) {
    case 'ended':
      return (
        <Hall>
          <EmptyState
            level={1}
            icon={ClockIcon}
            title={words.endedTitle}
            text={<Ended title={title} why={words.ended[farewell.reason]} />}
          >
            {home}
          </EmptyState>
        </Hall>
      );
    case 'removed':
      return (
        <Hall>
          <Removed farewell={farewell}>{home}</Removed>
        </Hall>
      );
    case 'elsewhere':
      return (
        <Hall>
          <EmptyState level={1} icon={SwapIcon} title={words.elsewhereTitle} text={words.elsewhereText}>
            <Button variant="primary" onClick={enter}>
              {words.useHere}
            </Button>
            <LinkButton href="/">{messages.goHome}</LinkButton>
          </EmptyState>
        </Hall>
      );
    case 'left':
      return <Hall>{null}</Hall>;
    default:
      return farewell satisfies never;
  }
};

const Ended = ({ title, why }: { readonly title: string; readonly why: string }) => (
  <>
    <p class="doorway__room">{title}</p>
    <p>{why}</p>
  </>
);

type RemovedProps = {
  readonly farewell: Extract<Farewell, { phase: 'removed' }>;
  readonly children: ComponentChildren;
};

const Removed = ({ farewell, children }: RemovedProps) => {
  const words = useMessages().room.gone;
  const { banned, byName, reason } = farewell;
  const title = banned ? words.bannedTitle(byName) : words.removedTitle(byName);
  const text = (
    <>
      {reason !== null && reason !== '' && <p>{words.because(reason)}</p>}
      <p>{banned ? words.bannedText : words.removedText}</p>
    </>
  );
  return (
    <EmptyState level={1} icon={BanIcon} title={title} text={text}>
      {children}
    </EmptyState>
  );
};
