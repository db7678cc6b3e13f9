import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type AudioDevice, listCameras, listMicrophones, onDevicesChanged } from '../../client/devices.ts';
import { useMessages } from '../../i18n/index.ts';
import { Select } from '../../ui/field.tsx';
import { Sheet } from '../../ui/sheet.tsx';
import { OwnMeter } from './preview.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';

/** Which microphone and which camera; what is chosen is used at once. */
export const DevicesSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const { preferences, choices, commands, phase } = useTalk();
  const microphoneWords = useMessages().microphone;
  const words = useTalkWords().preview;
  const present = phase.value;
  const mode = present.phase === 'call' ? present.call.mode : choices.chosen.value.mode;
  return (
    <Sheet title={words.devices} onClose={onClose}>
      <DeviceSelect
        label={words.microphone}
        standard={microphoneWords.standardDevice}
        unnamed={microphoneWords.unnamedDevice}
        list={listMicrophones}
        chosen={preferences.deviceId.value}
        onChoose={(deviceId) => void commands.chooseMicrophone(deviceId)}
      />
      <OwnMeter />
      {mode === 'video' && (
        <DeviceSelect
          label={words.camera}
          standard={words.standardCamera}
          unnamed={words.unnamedCamera}
          list={listCameras}
          chosen={choices.chosen.value.cameraId}
          onChoose={(deviceId) => void commands.chooseCamera(deviceId)}
        />
      )}
    </Sheet>
  );
};

type DeviceSelectProps = {
  readonly label: string;
  readonly standard: string;
  readonly unnamed: (place: number) => string;
  readonly list: () => Promise<AudioDevice[]>;
  readonly chosen: string | undefined;
  readonly onChoose: (deviceId: string | undefined) => void;
};

const DeviceSelect = ({ label, standard, unnamed, list, chosen = '', onChoose }: DeviceSelectProps) => {
  const devices = useSignal<readonly AudioDevice[]>([]);
  useEffect(() => {
    const refresh = async () => {
      devices.value = await list();
    };
    void refresh();
    return onDevicesChanged(() => void refresh());
  }, [devices, list]);
  const named = devices.value.filter(({ deviceId }) => deviceId !== '' && deviceId !== 'default');
  const all = [
    { value: '', label: standard },
    ...named.map(({ deviceId, label: name }, index) => ({
      value: deviceId,
      label: name === '' ? unnamed(index + 1) : name,
    })),
  ];
  return (
    <Select
      label={label}
      value={all.some(({ value }) => value === chosen) ? chosen : ''}
      choices={all}
      onChange={(deviceId) => onChoose(deviceId === '' ? undefined : deviceId)}
    />
  );
};
