import type { CallMode, ReportType } from '@rostrum/shared/protocol/call.ts';
import type { RandomCalls } from '../../client/call-types.ts';
import type { Failure } from '../failures.ts';
import type { Preferences } from '../preferences.ts';
import type { Attempt } from '../room/attempt.ts';
import type { Safety } from '../safety.ts';
import type { Verdict } from './after.ts';
import type { TalkChoicesStore } from './choices.ts';
import type { TalkLink } from './link.ts';

/** What the page does before, in and after a call. A failure is told in words; nothing here throws. */
export type TalkCommands = {
  cancel(): Promise<void>;
  next(): Promise<void>;
  end(): Promise<void>;
  /** Back to the choices. */
  dismiss(): void;
  toggleMute(): void;
  toggleCamera(): Promise<void>;
  setAudioOnly(on: boolean): void;
  stillHere(): Promise<void>;
  extend(): Promise<void>;
  startAudio(): Promise<void>;
  chooseMode(mode: CallMode): Promise<void>;
  /** Opens what the present call needs, where it is not open. */
  openDevices(): Promise<void>;
  chooseMicrophone(deviceId: string | undefined): Promise<void>;
  chooseCamera(deviceId: string | undefined): Promise<void>;
  report(about: About, type: ReportType, text: string, done: string): Promise<Failure | undefined>;
  /** SF-4: ends the call with this person, if it goes on. */
  block(about: About): Promise<void>;
};

/** Somebody whom one talks to, or just did. */
export type About = { readonly sessionId: string; readonly userId: string; readonly displayName: string };

export type CommandOptions = {
  readonly link: TalkLink;
  readonly attempt: Attempt;
  readonly safety: Safety;
  readonly choices: TalkChoicesStore;
  readonly preferences: Pick<Preferences, 'deviceId'>;
  readonly verdict: Verdict;
};

export const createTalkCommands = (options: CommandOptions): TalkCommands => {
  const { link, attempt, safety, verdict } = options;
  const now = () => link.calls.peek();
  const call = () => {
    const phase = link.phase.peek();
    return phase.phase === 'call' ? phase.call : undefined;
  };
  /** What is asked of calls that are not open any more is over. */
  const tell = (run: (calls: RandomCalls) => Promise<void>) =>
    attempt.tell(async () => {
      const calls = now();
      if (calls !== undefined) await run(calls);
    });
  return {
    cancel: () => tell((calls) => calls.cancel()),
    next: () => tell((calls) => calls.next()),
    end: () => tell((calls) => calls.end()),
    dismiss: () => now()?.dismiss(),
    toggleMute: () => {
      const present = call();
      if (present !== undefined && present.mode !== 'text') now()?.setMuted(!present.muted);
    },
    toggleCamera: async () => {
      const present = call();
      if (present?.mode === 'video') await tell((calls) => calls.setCamera(present.video.state === 'off'));
    },
    setAudioOnly: (on) => now()?.setAudioOnly(on),
    stillHere: () => tell((calls) => calls.stillHere()),
    extend: () => tell((calls) => calls.extend()),
    startAudio: () => tell((calls) => calls.startAudio()),
    report: (about, type, text, done) =>
      safety.report(async () => {
        await now()?.report(about.sessionId, type, text);
        verdict.setReported();
      }, done),
    block: async (about) => {
      const run = async () => now()?.block(about.sessionId);
      if (await safety.block(about, run, () => verdict.setBlocked(false))) verdict.setBlocked(true);
    },
    ...createDeviceChoice(options),
  };
};

type DeviceChoice = Pick<TalkCommands, 'chooseMode' | 'openDevices' | 'chooseMicrophone' | 'chooseCamera'>;

/** What is chosen is used at once where it is open already, and nowhere else: nobody is surprised by a question. */
const createDeviceChoice = ({ link, attempt, choices, preferences }: CommandOptions): DeviceChoice => {
  const isOpen = () => link.preview.peek().state !== 'off';
  return {
    chooseMode: async (mode) => {
      choices.change({ mode });
      const calls = link.calls.peek();
      if (calls === undefined || !isOpen()) return;
      if (mode === 'text') calls.closePreview();
      else await attempt.tell(() => calls.openPreview(mode, devicesOf(choices, preferences)));
    },
    openDevices: async () => {
      const phase = link.phase.peek();
      if (phase.phase !== 'call') return;
      const { mode } = phase.call;
      await attempt.tell(async () => link.calls.peek()?.openPreview(mode, devicesOf(choices, preferences)));
    },
    chooseMicrophone: async (deviceId) => {
      preferences.deviceId.value = deviceId;
      if (isOpen()) await attempt.tell(async () => link.calls.peek()?.useMicrophone(deviceId ?? ''));
    },
    chooseCamera: async (deviceId) => {
      choices.change({ cameraId: deviceId });
      if (isOpen()) await attempt.tell(async () => link.calls.peek()?.useCamera(deviceId ?? ''));
    },
  };
};

/** The devices that were chosen; the standard ones where nothing was. */
export const devicesOf = (
  { chosen }: Pick<TalkChoicesStore, 'chosen'>,
  { deviceId }: Pick<Preferences, 'deviceId'>,
): { microphoneId?: string; cameraId?: string } => {
  const [microphoneId, { cameraId }] = [deviceId.peek(), chosen.peek()];
  return {
    ...(microphoneId === undefined ? {} : { microphoneId }),
    ...(cameraId === undefined ? {} : { cameraId }),
  };
};
