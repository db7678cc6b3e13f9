import { render } from 'preact';
import { createApi } from './client/api.ts';
import type { Connection } from './client/types.ts';
import { AppShell } from './features/shell/app-shell.tsx';
import { type Language, loadLanguage } from './i18n/index.ts';
import type { App } from './state/app.ts';
import { createAuth } from './state/auth.ts';
import { createClock } from './state/clock.ts';
import { createNotices } from './state/notices.ts';
import { createPreferences } from './state/preferences.ts';
import { createEntrance } from './state/room/entrance.ts';
import { createRoomStore } from './state/room/store.ts';
import { createRoomList } from './state/room-list.ts';
import { createRouter } from './state/router.ts';
import { browserStorage } from './state/storage.ts';
import { createSounds } from './ui/sounds.ts';

/** Everything is built here, once. The SDK is loaded when a room is opened: the list of rooms needs only its HTTP part. */
const createApp = (language: Language): App => {
  const storage = browserStorage(() => localStorage);
  const clock = createClock();
  const notices = createNotices();
  const preferences = createPreferences(storage);
  const messages = () => language.messages;
  const api = createApi({ getToken: () => auth.token() });
  const auth = createAuth({ api, storage, now: clock.now });
  const loadSdk = () => import('./client/index.ts');
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const play = createSounds(() => preferences.sounds.peek());

  let connection: { readonly userId: string; readonly open: Connection } | undefined;
  /** One connection for the page; another after it closed, or when somebody else signed in. */
  const connect = async (): Promise<Connection> => {
    const { createConnection } = await loadSdk();
    const userId = auth.identity.peek()?.userId ?? '';
    if (connection?.userId === userId && connection.open.status !== 'closed') return connection.open;
    connection?.open.close();
    const open = createConnection({
      getToken: () => auth.token() ?? '',
      onToken: auth.renewed,
      storage: sessionStorage,
    });
    open.onEvent('session:ready', ({ serverTime }) => clock.correct(serverTime));
    connection = { userId, open };
    return open;
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
    microphones: async () => {
      const { createMicrophoneTest, listMicrophones, onDevicesChanged } = await loadSdk();
      return { list: listMicrophones, onChanged: onDevicesChanged, createTest: () => createMicrophoneTest() };
    },
    openRoom: (roomId) =>
      createEntrance({
        roomId,
        auth,
        api,
        messages,
        connect,
        join: async (open, id) => (await loadSdk()).joinRoom(open, id),
        build: (session) =>
          createRoomStore({
            session,
            api,
            notices,
            preferences,
            clock,
            messages,
            play,
            still: still.matches,
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
