import type { RandomService } from '@rostrum/shared/protocol/random.ts';
import type { CallSnapshot, PreviewState, RandomCalls, RandomEvents, RandomPhase } from '../../client/call-types.ts';
import { talk } from '../../i18n/en/talk.ts';
import { createEnglish } from '../../i18n/index.ts';

/** Random calls for tests. */
const idOf = (name: string): string => name.padEnd(22, '-');

export const exampleWords = talk(createEnglish().formats);

export const exampleService = (more: Partial<RandomService> = {}): RandomService => ({
  available: true,
  reason: null,
  until: null,
  minimumAge: 18,
  filters: [],
  relay: 'none',
  stats: { totalActive: 3, inQueue: 1, activeCalls: 1 },
  ...more,
});

export const exampleCall = (more: Partial<CallSnapshot> = {}): CallSnapshot => ({
  sessionId: idOf('call'),
  mode: 'voice',
  partner: { id: idOf('Ana'), displayName: 'Ana', avatarUrl: null },
  languages: [],
  phase: 'connected',
  connectedAt: 0,
  resumeUntil: null,
  partnerAway: false,
  answerUntil: null,
  extension: { endsAt: null, asked: false, partnerAsked: false },
  chat: [],
  muted: false,
  video: { state: 'off', why: 'no-camera' },
  audioOnly: false,
  throughSfu: false,
  quality: null,
  securityCode: null,
  audioBlocked: false,
  ...more,
});

export const inCall = (more: Partial<CallSnapshot> = {}): RandomPhase => ({ phase: 'call', call: exampleCall(more) });

type Queued = Extract<RandomPhase, { phase: 'queued' }>;

export const inQueue = (more: Partial<Queued['queued']> = {}, notice: Queued['notice'] = null): Queued => ({
  phase: 'queued',
  notice,
  queued: {
    position: 1,
    waiting: 1,
    mode: 'voice',
    since: 0,
    relaxed: [],
    languageUntil: null,
    ...more,
  },
});

type After = Extract<RandomPhase, { phase: 'after' }>;

export const afterCall = (more: Partial<After> = {}): After => ({
  phase: 'after',
  sessionId: idOf('call'),
  partner: exampleCall().partner,
  reason: 'hung-up',
  byYou: false,
  durationMs: 60_000,
  ...more,
});

export const examplePreview = (camera: boolean): PreviewState => ({
  state: 'ready',
  stream: {} as MediaStream,
  microphone: { deviceId: 'mic', label: 'Built-in' },
  camera: camera ? { deviceId: 'cam', label: 'Built-in' } : null,
});

type Listener = (payload: never) => void;

const asked = [
  'cancel',
  'next',
  'end',
  'rate',
  'report',
  'block',
  'send',
  'stillHere',
  'extend',
  'setMuted',
  'setCamera',
  'setAudioOnly',
  'useMicrophone',
  'useCamera',
  'startAudio',
] as const;

/** Calls that do nothing but remember what they were asked, and tell what the test makes them tell. */
export const exampleCalls = (service: RandomService | null = exampleService()) => {
  const listeners = new Map<keyof RandomEvents, Set<Listener>>();
  const done: unknown[][] = [];
  /** What asking is answered with, where it is not done. */
  const refusals = new Map<string, Error>();
  const answer =
    (name: string) =>
    async (...args: unknown[]): Promise<void> => {
      done.push([name, ...args]);
      const error = refusals.get(name);
      if (error !== undefined) throw error;
    };
  const state: { phase: RandomPhase; service: RandomService | undefined; preview: PreviewState } = {
    phase: { phase: 'idle' },
    service: service ?? undefined,
    preview: { state: 'off' },
  };
  const tell = <Name extends 'phase' | 'service' | 'preview' | 'message'>(name: Name, payload: RandomEvents[Name]) => {
    if (name !== 'message') Object.assign(state, { [name]: payload });
    for (const listener of listeners.get(name) ?? []) listener(payload as never);
  };
  /** What opening microphone and camera comes to. */
  let opened = (mode: string): PreviewState => examplePreview(mode === 'video');
  const calls = {
    get phase() {
      return state.phase;
    },
    get service() {
      return state.service;
    },
    get preview() {
      return state.preview;
    },
    remoteStream: null,
    on: (name: keyof RandomEvents, listener: Listener) => {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener));
      return () => known.delete(listener);
    },
    openPreview: async (mode: string, devices: unknown) => {
      done.push(['openPreview', mode, devices]);
      tell('preview', opened(mode));
    },
    closePreview: () => {
      done.push(['closePreview']);
      tell('preview', { state: 'off' });
    },
    start: answer('start'),
    dismiss: () => {
      done.push(['dismiss']);
      if (state.phase.phase !== 'idle') tell('phase', { phase: 'idle' });
    },
    levelOf: () => 0,
    dispose: () => done.push(['dispose']),
    ...Object.fromEntries(asked.map((name) => [name, answer(name)])),
  };
  return {
    calls: calls as unknown as RandomCalls,
    done,
    refusals,
    tell,
    /** Names of what was asked. */
    names: () => done.map(([name]) => name),
    opens: (result: (mode: string) => PreviewState) => {
      opened = result;
    },
  };
};

export const refusal = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });
