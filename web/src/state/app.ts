import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from '../client/api.ts';
import type { RandomCalls, RandomOptions } from '../client/call-types.ts';
import type { Connection } from '../client/types.ts';
import type { Language } from '../i18n/index.ts';
import type { Auth } from './auth.ts';
import type { Clock } from './clock.ts';
import type { Microphones } from './microphones.ts';
import type { Notices } from './notices.ts';
import type { Preferences } from './preferences.ts';
import type { Sound } from './room/changes.ts';
import type { EntranceStore } from './room/entrance.ts';
import type { RoomListStore } from './room-list.ts';
import type { Router } from './router.ts';
import type { Safety } from './safety.ts';
import type { Storage } from './storage.ts';
import type { TalkService } from './talk-service.ts';

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
  readonly talkService: TalkService;
  readonly safety: Safety;
  readonly storage: Storage;
  readonly play: (sound: Sound) => void;
  /** Whether motion is to be left out. */
  readonly still: boolean;
  /** The connection of this page (a new one when the last was closed), and random calls on it. */
  readonly calls: {
    readonly connect: () => Promise<Connection>;
    readonly open: (connection: Connection, options: Pick<RandomOptions, 'devices'>) => Promise<RandomCalls>;
  };
  readonly microphones: () => Promise<Microphones>;
  readonly openRoom: (roomId: string) => EntranceStore;
};

export const AppContext = createContext<App | undefined>(undefined);

export const useApp = (): App => {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('This component stands outside of the app.');
  return app;
};
