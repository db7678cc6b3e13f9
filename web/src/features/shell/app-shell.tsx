import { LanguageContext, useMessages } from '../../i18n/index.ts';
import { type App, AppContext, useApp } from '../../state/app.ts';
import { lazily } from '../../ui/lazy.tsx';
import { LiveRegions, NoticesContext } from '../../ui/live-regions.tsx';
import { Toasts } from '../../ui/toast.tsx';
import { TooltipHost } from '../../ui/tooltip.tsx';
import { HomePage } from '../home/home-page.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import { SignInSheet } from './sign-in.tsx';
import '../../ui/tokens.css';
import '../../ui/base.css';
import './shell.css';

const RoomPage = lazily(async () => (await import('../room/room-page.tsx')).RoomPage);
const CreatePage = lazily(async () => (await import('../create/create-page.tsx')).CreatePage);
const TalkPage = lazily(async (language) => {
  const [{ TalkPage: Page }, words] = await Promise.all([import('../random/talk-page.tsx'), language.talk()]);
  return () => <Page words={words} />;
});
const ClaimPage = lazily(async () => (await import('../claim/claim-page.tsx')).ClaimPage);

/** The frame around every page: what is said aloud, the notices, and the question for a name. */
export const AppShell = ({ app }: { readonly app: App }) => (
  <AppContext.Provider value={app}>
    <LanguageContext.Provider value={app.language}>
      <NoticesContext.Provider value={app.notices}>
        <Frame />
      </NoticesContext.Provider>
    </LanguageContext.Provider>
  </AppContext.Provider>
);

const Frame = () => {
  const { router, auth } = useApp();
  const messages = useMessages();
  return (
    <div class="shell" data-page={router.route.value.page}>
      <a class="skip" href="#content">
        {messages.skipToContent}
      </a>
      <Page />
      {auth.asking.value && <SignInSheet />}
      <Toasts />
      <TooltipHost />
      <LiveRegions />
    </div>
  );
};

const Page = () => {
  const route = useApp().router.route.value;
  switch (route.page) {
    case 'home':
      return <HomePage />;
    case 'new':
      return <CreatePage />;
    case 'talk':
      return <TalkPage />;
    case 'room':
      return <RoomPage key={route.roomId} roomId={route.roomId} />;
    case 'claim':
      return <ClaimPage code={route.code} />;
    case 'not-found':
      return <NotFoundPage />;
    default:
      return route satisfies never;
  }
};
