import { useSignal } from '@preact/signals';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { AudioDevice, MicrophoneTest, MicrophoneTestState } from '../../client/index.ts';
import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { describeMicrophone } from '../../state/failures.ts';
import { chosenMicrophone } from '../../state/room/store.ts';
import { Button } from '../../ui/button.tsx';
import { Select, Switch } from '../../ui/field.tsx';
import { RecordIcon, WarnIcon } from '../../ui/icons.tsx';
import { Meter } from '../../ui/meter.tsx';
import { Sheet } from '../../ui/sheet.tsx';
import { useRoom } from './room-context.ts';

/** How often the meter is drawn, in milliseconds. */
const meterMs = 60;

/** Which microphone, how it is processed, whether it is heard (WB-3). */
export const MicrophoneSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const room = useRoom();
  const words = useMessages().microphone;
  const { preferences } = room;
  const voiceProcessing = audioSettings[room.info.value.audioQuality].voiceProcessing;
  /** A choice is used at once where the microphone is open. */
  const apply = () => {
    if (room.localMicrophone.peek().state === 'live') void room.commands.openMicrophone(chosenMicrophone(preferences));
  };
  return (
    <Sheet title={words.settings} onClose={onClose}>
      <DevicePicker onChosen={apply} />
      <Switch
        label={words.processing}
        hint={words.processingHint}
        checked={preferences.processing.value ?? voiceProcessing}
        onChange={(on) => {
          preferences.processing.value = on;
          apply();
        }}
      />
      <Trial key={`${preferences.deviceId.value ?? ''} ${preferences.processing.value ?? ''}`} />
    </Sheet>
  );
};

const DevicePicker = ({ onChosen }: { readonly onChosen: () => void }) => {
  const { microphones } = useApp();
  const { preferences } = useRoom();
  const words = useMessages().microphone;
  const devices = useSignal<readonly AudioDevice[]>([]);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let closed = false;
    const begin = async () => {
      const all = await microphones();
      const list = async () => {
        devices.value = await all.list();
      };
      if (closed) return;
      stop = all.onChanged(() => void list());
      await list();
    };
    void begin();
    return () => {
      closed = true;
      stop?.();
    };
  }, [microphones, devices]);
  const named = devices.value.filter(({ deviceId }) => deviceId !== '' && deviceId !== 'default');
  const choices = [
    { value: '', label: words.standardDevice },
    ...named.map(({ deviceId, label }, index) => ({
      value: deviceId,
      label: label === '' ? words.unnamedDevice(index + 1) : label,
    })),
  ];
  const chosen = preferences.deviceId.value ?? '';
  return (
    <Select
      label={words.device}
      value={choices.some(({ value }) => value === chosen) ? chosen : ''}
      choices={choices}
      onChange={(deviceId) => {
        preferences.deviceId.value = deviceId === '' ? undefined : deviceId;
        onChosen();
      }}
    />
  );
};

/** A try that nobody else hears. It opens the microphone only when asked: a listener is never surprised by the question. */
const Trial = () => {
  const { microphones } = useApp();
  const { preferences, localMicrophone } = useRoom();
  const words = useMessages().microphone;
  const [test, setTest] = useState<MicrophoneTest>();
  const [state, setState] = useState<MicrophoneTestState>({ state: 'off' });
  const allowed = localMicrophone.value.state === 'live';
  const begin = useCallback(async () => {
    const created = (await microphones()).createTest();
    created.on('state', setState);
    setTest(created);
    await created.open(chosenMicrophone(preferences));
  }, [microphones, preferences]);
  useEffect(() => {
    if (allowed) void begin();
  }, [allowed, begin]);
  useEffect(() => () => test?.close(), [test]);
  if (test === undefined || state.state === 'off')
    return <Button onClick={() => void begin()}>{words.startTest}</Button>;
  return <OpenTrial test={test} state={state} again={() => void test.open(chosenMicrophone(preferences))} />;
};

type OpenTrialProps = {
  readonly test: MicrophoneTest;
  readonly state: MicrophoneTestState;
  readonly again: () => void;
};

const OpenTrial = ({ test, state, again }: OpenTrialProps) => {
  const room = useRoom();
  const messages = useMessages();
  const words = messages.microphone;
  const follow = useCallback(
    (draw: (level: number) => void) => {
      const timer = setInterval(() => draw(test.level()), meterMs);
      return () => clearInterval(timer);
    },
    [test],
  );
  if (state.state === 'failed') {
    return (
      <>
        <p class="form__failure" role="alert">
          <WarnIcon />
          {describeMicrophone(state.reason, messages)}
        </p>
        <Button onClick={again}>{messages.retry}</Button>
      </>
    );
  }
  const hint = room.microphone.value.kind === 'live' ? words.testHintLive : words.testHint;
  const busy = state.state === 'recording' || state.state === 'playing';
  const notes: Partial<Record<MicrophoneTestState['state'], string>> = {
    recording: words.recording,
    playing: words.playing,
    asking: words.status.asking,
  };
  return (
    <>
      <Meter name={words.level} follow={follow} textOf={words.levelNow} />
      <p class="field__hint" role="status">
        {notes[state.state] ?? (test.canRecord ? hint : words.cannotRecord)}
      </p>
      {test.canRecord && (
        <Button icon={RecordIcon} aria-disabled={busy} onClick={() => void test.recordAndPlay()}>
          {words.test}
        </Button>
      )}
    </>
  );
};
