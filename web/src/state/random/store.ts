import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals';
import type { Api } from '../../client/api.ts';
import type { CallSnapshot, RandomCalls, RandomPhase } from '../../client/call-types.ts';
import type { Formats, Messages, TalkMessages } from '../../i18n/index.ts';
import type { App } from '../app.ts';
import type { Auth } from '../auth.ts';
import type { Clock } from '../clock.ts';
import type { Notices } from '../notices.ts';
import type { Preferences } from '../preferences.ts';
import { createAttempt } from '../room/attempt.ts';
import type { Sound } from '../room/changes.ts';
import type { Safety } from '../safety.ts';
import type { Storage } from '../storage.ts';
import type { TalkService } from '../talk-service.ts';
import { createVerdict, type Verdict } from './after.ts';
import { type Chat, createChat } from './chat.ts';
import { createTalkChoices, regionOf, type TalkChoicesStore } from './choices.ts';
import { type About, createTalkCommands, devicesOf, type TalkCommands } from './commands.ts';
import { followMessage, followPhase } from './follow.ts';
import { createTalkLink, type TalkLink } from './link.ts';
import type { TalkSheet } from './sheets.ts';
import { createStart, type Start } from './start.ts';

/** The page of random calls as it is shown. */
export type TalkStore = Pick<TalkLink, 'phase' | 'preview' | 'calls'> & {
  /** It is not known yet whether one waits or talks already. */
  readonly opening: ReadonlySignal<boolean>;
  readonly service: TalkLink['service'];
  readonly choices: TalkChoicesStore;
  /** The region that the browser is set to. */
  readonly region: string | undefined;
  readonly start: Start;
  readonly commands: TalkCommands;
  readonly chat: Chat;
  readonly verdict: Verdict;
  readonly sheet: Signal<TalkSheet | undefined>;
  /** Whom one talks to, or just did. */
  readonly about: ReadonlySignal<About | undefined>;
  readonly preferences: Preferences;
  readonly clock: Clock;
  readonly still: boolean;
  /** Where one stands is found out, for whoever is signed in. */
  open(): void;
  /** The page is left: the call ends, the place in the queue is given up, the microphone goes off. */
  leave(): Promise<void>;
  /** Lets go without ending anything, for a page that goes away and may come back: `open` goes on. */
  suspend(): void;
};

export type TalkStoreOptions = {
  readonly auth: Auth;
  readonly api: Pick<Api, 'consents' | 'giveConsent'>;
  readonly safety: Safety;
  readonly talkService: TalkService;
  readonly notices: Notices;
  readonly preferences: Preferences;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly messages: () => Messages;
  readonly words: TalkMessages;
  readonly formats: Formats;
  readonly play: (sound: Sound) => void;
  /** Whether motion is to be left out. */
  readonly still: boolean;
  /** What the browser prefers, the best first (BCP 47). */
  readonly languages: readonly string[];
  readonly permission: () => Promise<PermissionState | 'unknown'>;
  readonly calls: App['calls'];
};

export const createTalkStore = (options: TalkStoreOptions): TalkStore => {
  const { auth, talkService, notices } = options;
  const { link, choices, verdict, start, ...parts } = createParts(options);
  const { phase, calls } = link;
  const open = () => void link.open().then(start.prepare, () => undefined);
  // Whoever signs in while the page is open is connected at once; whoever signs out, or as somebody else, starts anew.
  const service = latestOf(link.service, talkService.service);
  const follower = createFollower(auth, open, link.close);
  return {
    ...parts,
    phase,
    calls,
    choices,
    verdict,
    start,
    preview: link.preview,
    opening: computed(() => link.status.value === 'opening' && phase.value.phase === 'idle'),
    service: service.latest,
    preferences: options.preferences,
    clock: options.clock,
    still: options.still,
    open: follower.begin,
    leave: async () => {
      follower.end();
      notices.clear();
      choices.dispose();
      service.dispose();
      // The light of the microphone goes off at once, however long the server takes.
      calls.peek()?.closePreview();
      await Promise.all([verdict.send(), letGo(calls.peek(), phase.peek())]);
      link.close();
    },
    suspend: () => {
      follower.end();
      link.close();
    },
  };
};

const createParts = (options: TalkStoreOptions) => {
  const { safety, notices, preferences, storage, messages, languages } = options;
  const sheet = signal<TalkSheet | undefined>(undefined);
  const choices = createTalkChoices({ storage, languages });
  const link = createTalkLink({
    connect: options.calls.connect,
    openCalls: (connection) => options.calls.open(connection, { devices: () => devicesOf(choices, preferences) }),
    onPhase: (next, before) => followPhase(followers, next, before),
    onMessage: (line) => followMessage(followers, line),
  });
  const { phase, calls } = link;
  const attempt = createAttempt(notices, messages);
  const region = regionOf(languages);
  const verdict = createVerdict({
    attempt,
    rate: async (sessionId, stars, comment) => calls.peek()?.rate(sessionId, stars, comment),
  });
  const chat = createChat({ phase, attempt, send: async (text) => calls.peek()?.send(text) });
  const start = createStart({ ...options, link, sheet, choices, region });
  const commands = createTalkCommands({ link, attempt, safety, choices, preferences, verdict });
  const about = computed(() => aboutOf(phase.value));
  const followers = { ...options, chat, verdict, start, sheet, about, commands };
  return { link, sheet, choices, region, verdict, chat, start, commands, about };
};

const callOf = (phase: RandomPhase): CallSnapshot | undefined => (phase.phase === 'call' ? phase.call : undefined);

const aboutOf = (phase: RandomPhase): About | undefined => {
  if (phase.phase === 'after') return personOf(phase.sessionId, phase.partner);
  const call = callOf(phase);
  return call === undefined ? undefined : personOf(call.sessionId, call.partner);
};

const personOf = (sessionId: string, { id, displayName }: CallSnapshot['partner']): About => ({
  sessionId,
  userId: id,
  displayName,
});

/** What was told or asked last: while it is switched off nobody tells that it is on again, so it is asked then. */
const latestOf = <Value>(...sources: readonly ReadonlySignal<Value | undefined>[]) => {
  const latest = signal<Value | undefined>(undefined);
  const stops = sources.map((source) =>
    effect(() => {
      latest.value = source.value ?? latest.peek();
    }),
  );
  return {
    latest,
    dispose: () => {
      for (const stop of stops) stop();
    },
  };
};

const createFollower = (auth: Auth, open: () => void, close: () => void) => {
  let stop: (() => void) | undefined;
  let userId: string | undefined;
  return {
    begin: () => {
      stop?.();
      userId = undefined;
      stop = effect(() => {
        const now = auth.identity.value?.userId;
        if (now === userId) return;
        const before = userId;
        userId = now;
        untracked(() => {
          if (before !== undefined) close();
          if (now !== undefined) open();
        });
      });
    },
    end: () => {
      stop?.();
      stop = undefined;
    },
  };
};

/** What goes on is ended; what cannot be said to the server now lapses by itself (RE-2). */
const letGo = async (calls: RandomCalls | undefined, { phase }: RandomPhase): Promise<void> => {
  if (phase === 'call') await calls?.end().catch(() => undefined);
  if (phase === 'queued' || phase === 'starting') await calls?.cancel().catch(() => undefined);
};
