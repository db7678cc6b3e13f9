import { render } from 'preact';
import { createApi } from './client/api.ts';
import type { Connection } from './client/types.ts';
import { AppShell } from './features/shell/app-shell.tsx';
import { type Language, loadLanguage } from './i18n/index.ts';
import type { App } from './state/app.ts';
import { type Auth, createAuth } from './state/auth.ts';
import { type Clock, createClock } from './state/clock.ts';
import { createNotices } from './state/notices.ts';
import { createPreferences } from './state/preferences.ts';
import { createEntrance } from './state/room/entrance.ts';
import { createRoomStore } from './state/room/store.ts';
import { createRoomList } from './state/room-list.ts';
import { createRouter } from './state/router.ts';
import { createSafety } from './state/safety.ts';
import { browserStorage } from './state/storage.ts';
import { createTalkService } from './state/talk-service.ts';
import { createSounds } from './ui/sounds.ts';

const loadRoom = () => import('./client/room.ts');
const loadCalls = () => import('./client/random-calls.ts');

/** One connection for the page; another after it closed, or when somebody else signed in. */
const createConnect = (auth: Auth, clock: Clock): (() => Promise<Connection>) => {
  let connection: { readonly userId: string; readonly open: Connection } | undefined;
  return async () => {
    const { createConnection } = await import('./client/connection.ts');
    const userId = auth.identity.peek()?.userId ?? '';
    if (connection?.userId === userId && connection.open.status !== 'closed') return connection.open;
    connection?.open.close();
    const open = createConnection({
      getToken: () => auth.token() ?? '',
      onToken: auth.renewed,
      storage: sessionStorage,
      nearRoom: () => /^\/rooms\/([\w-]+)/.exec(location.pathname)?.[1],
    });
    open.onEvent('session:ready', ({ serverTime }) => clock.correct(serverTime));
    connection = { userId, open };
    return open;
  };
};

/**
 * Everything is built here, once. The SDK is loaded when a room or a call is opened, and of it only what that needs: the
 * list of rooms lives on its HTTP part, and a call without the SFU on what browsers have.
 */
const createApp = (language: Language): App => {
  const storage = browserStorage(() => localStorage);
  const clock = createClock();
  const notices = createNotices();
  const preferences = createPreferences(storage);
  const messages = () => language.messages;
  const api = createApi({ getToken: () => auth.token() });
  const auth = createAuth({ api, storage, now: clock.now });
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const play = createSounds(() => preferences.sounds.peek());

  const connect = createConnect(auth, clock);
  /** What is needed next is loaded beside the connection, not after it. A load that failed is tried again when it is used. */
  const connectWith = (load: () => Promise<unknown>) => () => {
    void load().catch(() => undefined);
    return connect();
  };
  return {
    api,
    auth,
    clock,
    language,
    notices,
    preferences,
    router: createRouter(window),
    rooms: createRoomList({ api, messages }),
    talkService: createTalkService(api),
    safety: createSafety({ api, notices, messages }),
    storage,
    play,
    still,
    calls: {
      connect: connectWith(loadCalls),
      open: async (open, options) => (await loadCalls()).openRandomCalls(open, options),
    },
    microphones: async () => {
      const [{ createMicrophoneTest }, { listMicrophones, onDevicesChanged }] = await Promise.all([
        import('./client/microphone-test.ts'),
        import('./client/devices.ts'),
      ]);
      return { list: listMicrophones, onChanged: onDevicesChanged, createTest: () => createMicrophoneTest() };
    },
    openRoom: (roomId) =>
      createEntrance({
        roomId,
        auth,
        api,
        messages,
        connect: connectWith(loadRoom),
        join: async (open, id) => (await loadRoom()).joinRoom(open, id),
        build: (session) =>
          createRoomStore({
            session,
            api,
            notices,
            preferences,
            clock,
            messages,
            play,
            still,
          }),
      }),
  };
};

const start = async (): Promise<void> => {
  const root = document.getElementById('app');
  if (root === null) throw new Error('The page has no place for the app.');
  const language = await loadLanguage(navigator.languages);
  document.documentElement.lang = language.formats.locale;
  const app = createApp(language);
  void app.auth.refresh();
  render(<AppShell app={app} />, root);
};

void start();
