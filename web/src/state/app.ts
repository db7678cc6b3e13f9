import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from '../client/api.ts';
import type { Language } from '../i18n/index.ts';
import type { Auth } from './auth.ts';
import type { Clock } from './clock.ts';
import type { Microphones } from './microphones.ts';
import type { Notices } from './notices.ts';
import type { Preferences } from './preferences.ts';
import type { EntranceStore } from './room/entrance.ts';
import type { RoomListStore } from './room-list.ts';
import type { Router } from './router.ts';

/** Everything that the pages work with; built once, in `main.tsx`. */
export type App = {
  readonly api: Api;
  readonly auth: Auth;
  readonly router: Router;
  readonly notices: Notices;
  readonly preferences: Preferences;
  readonly clock: Clock;
  readonly language: Language;
  readonly rooms: RoomListStore;
  readonly microphones: () => Promise<Microphones>;
  readonly openRoom: (roomId: string) => EntranceStore;
};

export const AppContext = createContext<App | undefined>(undefined);

export const useApp = (): App => {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('This component stands outside of the app.');
  return app;
};
