import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { CallMode } from '@rostrum/shared/protocol/call.ts';
import type { RandomService } from '@rostrum/shared/protocol/random.ts';
import type { Api } from '../../client/api.ts';
import type { PreviewState, RandomCalls } from '../../client/call-types.ts';
import type { Messages } from '../../i18n/index.ts';
import type { Auth } from '../auth.ts';
import { describeFailure, type Failure } from '../failures.ts';
import type { Preferences } from '../preferences.ts';
import type { TalkService } from '../talk-service.ts';
import { searchOf, type TalkChoicesStore } from './choices.ts';
import { devicesOf } from './commands.ts';
import { createConsents } from './consents.ts';
import type { TalkLink } from './link.ts';
import type { TalkSheet } from './sheets.ts';

/** The way from the large button into the queue: a name, the rules, the age, the microphone, and only then the search. */
export type Start = {
  /** On the way; the button waits. */
  readonly busy: ReadonlySignal<boolean>;
  /** Why one is not searching, while that is so. */
  readonly failure: ReadonlySignal<Failure | undefined>;
  begin(options?: { readonly leaveRoom?: boolean }): Promise<void>;
  /** Asks ahead what this person has accepted, so that the click need not. */
  prepare(): void;
  /** Opens microphone and camera to look at oneself, and no more (RQ-10). */
  look(): Promise<void>;
  /** ID-8: accepts, then goes on to the search. */
  acceptRules(): Promise<void>;
  confirmAge(): Promise<void>;
  /** A search that was refused: what is missing is asked for, anything else is told. */
  refused(error: unknown): void;
};

export type StartOptions = {
  readonly auth: Pick<Auth, 'require' | 'identity' | 'signOut'>;
  readonly api: Pick<Api, 'consents' | 'giveConsent'>;
  readonly talkService: Pick<TalkService, 'service' | 'load'>;
  readonly link: TalkLink;
  readonly sheet: Signal<TalkSheet | undefined>;
  readonly choices: Pick<TalkChoicesStore, 'chosen'>;
  readonly preferences: Pick<Preferences, 'deviceId'>;
  readonly region: string | undefined;
  readonly messages: () => Messages;
  /** Whether this page may use the microphone without a question of the browser's. */
  readonly permission: () => Promise<PermissionState | 'unknown'>;
};

/** Whether what is open is enough for a call of this mode. */
export const readyFor = (mode: CallMode, preview: PreviewState): boolean =>
  mode === 'text' || (preview.state === 'ready' && (mode === 'voice' || preview.camera !== null));

export const createStart = (options: StartOptions): Start => {
  const { auth, talkService, link, sheet, choices, messages } = options;
  const busy = signal(false);
  const failure = signal<Failure | undefined>(undefined);
  const consents = createConsents(options);

  const serviceNow = async (): Promise<RandomService> =>
    link.service.peek() ?? talkService.service.peek() ?? (await talkService.load());
  const refused = (error: unknown) => {
    const described = describeFailure(error, messages());
    const question = questions[described.code];
    if (question !== undefined) {
      consents.forget();
      sheet.value = question;
      return;
    }
    failure.value = described;
    if (described.code === 'unauthorized') auth.signOut();
  };
  /** One thing at a time; what goes wrong on the way is told. */
  const alone = async (run: () => Promise<void>) => {
    if (busy.peek()) return;
    busy.value = true;
    failure.value = undefined;
    try {
      await run();
    } catch (error) {
      refused(error);
    }
    busy.value = false;
  };
  const look = createLook(options);
  const search = async (leaveRoom: boolean) => {
    if (!(await auth.require())) return;
    const calls = await link.open();
    // It may turn out that one waits or talks already.
    if (link.calls.peek() !== calls || calls.phase.phase === 'queued' || calls.phase.phase === 'call') return;
    const service = await serviceNow();
    const missing = await consents.missing(service.minimumAge);
    if (missing !== undefined) {
      sheet.value = missing;
      return;
    }
    if (!(await look.before(calls))) return;
    await calls.start(searchOf(choices.chosen.peek(), service, options.region), { leaveRoom });
  };
  const begin = ({ leaveRoom = false } = {}) => alone(() => search(leaveRoom));
  const agree = async (give: () => Promise<void>) => {
    sheet.value = undefined;
    await alone(give);
    if (failure.peek() === undefined) await begin();
  };
  return {
    busy,
    failure,
    begin,
    prepare: () => void consents.ask().catch(() => undefined),
    refused,
    look: () =>
      alone(async () => {
        if (!(await auth.require())) return;
        await look.open(await link.open());
      }),
    acceptRules: () => agree(() => consents.give({ houseRules: true })),
    confirmAge: () => agree(async () => consents.give({ minimumAge: (await serviceNow()).minimumAge })),
  };
};

/** RQ-10: whoever has not seen themselves, or not said yes to the browser yet, looks first and starts then. */
const createLook = ({ choices, preferences, permission }: StartOptions) => {
  /** The mode of the last search: whoever switched the camera off since then goes on without it. */
  let searched: CallMode | undefined;
  const open = (calls: RandomCalls) => calls.openPreview(choices.chosen.peek().mode, devicesOf(choices, preferences));
  const isReady = async (mode: CallMode, calls: RandomCalls): Promise<boolean> => {
    if (readyFor(mode, calls.preview) || (calls.preview.state === 'ready' && searched === mode)) return true;
    const known = mode === 'voice' && (await permission()) === 'granted';
    // What there is to be seen, or to be put right, stands beside the choices.
    if (!known) calls.dismiss();
    await open(calls);
    if (known && readyFor(mode, calls.preview)) return true;
    calls.dismiss();
    return false;
  };
  return {
    open,
    /** Whether the search can begin now. */
    before: async (calls: RandomCalls): Promise<boolean> => {
      const { mode } = choices.chosen.peek();
      const ready = await isReady(mode, calls);
      if (ready) searched = mode;
      return ready;
    },
  };
};

/** Refusals that ask something of the person. */
const questions: Partial<Record<Failure['code'], TalkSheet>> = {
  rules_not_accepted: { kind: 'rules' },
  age_not_confirmed: { kind: 'age' },
  in_room: { kind: 'leave-room' },
};
