import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PreviewState } from './call-types.ts';
import { type Device, Preview } from './preview.ts';

beforeEach(() => {
  vi.stubGlobal(
    'MediaStream',
    class {
      readonly tracks: readonly Track[];

      constructor(tracks: readonly Track[]) {
        this.tracks = tracks;
      }
    },
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A device as the browser gives it; there is none in Node. */
class Track extends EventTarget {
  readonly kind: string;
  readonly label: string;
  enabled = true;
  readyState: 'live' | 'ended' = 'live';
  contentHint = '';

  constructor(kind: string, label: string) {
    super();
    this.kind = kind;
    this.label = label;
  }

  stop(): void {
    this.readyState = 'ended';
  }

  getSettings() {
    return { deviceId: this.label };
  }

  unplug(): void {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
}

type Asked = { readonly audio: string | false; readonly video: string | false };

/** A preview whose devices are played by the test. `ask` says what opens, or throws what a browser would. */
const setUp = () => {
  const asked: Asked[] = [];
  const tracks: Track[] = [];
  const states: PreviewState[] = [];
  const replaced: Device[] = [];
  const desk = { ask: async (_: Asked): Promise<void> => undefined };
  const nameOf = (wanted: MediaStreamConstraints['audio'], standard: string): string | false => {
    if (wanted === undefined || wanted === false) return false;
    const { deviceId } = wanted as { deviceId?: { exact: string } };
    return deviceId?.exact ?? standard;
  };
  const preview = new Preview({
    getUserMedia: async ({ audio, video }) => {
      const wanted = { audio: nameOf(audio, 'built-in'), video: nameOf(video, 'webcam') };
      asked.push(wanted);
      await desk.ask(wanted);
      const opened = [
        ...(wanted.audio === false ? [] : [new Track('audio', wanted.audio)]),
        ...(wanted.video === false ? [] : [new Track('video', wanted.video)]),
      ];
      tracks.push(...opened);
      return { getTracks: () => opened } as unknown as MediaStream;
    },
    changed: (state) => states.push(state),
    replaced: (device) => replaced.push(device),
  });
  const live = () => tracks.filter(({ readyState }) => readyState === 'live').map(({ label }) => label);
  return { preview, desk, asked, tracks, states, replaced, live };
};

const failure = (name: string) => Object.assign(new Error(name), { name });
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('RQ-10 microphone and camera before and during calls', () => {
  test('RQ-10 voice asks for the microphone alone, text for nothing', async () => {
    const { preview, asked, states } = setUp();
    await preview.open('text', {});
    expect(asked).toEqual([]);
    await preview.open('voice', {});
    expect(asked).toEqual([{ audio: 'built-in', video: false }]);
    expect(states.map(({ state }) => state)).toEqual(['asking', 'ready']);
    expect(preview.state).toMatchObject({ microphone: { deviceId: 'built-in' }, camera: null });
  });

  test('RQ-10 video asks for both with one question', async () => {
    const { preview, asked } = setUp();
    await preview.open('video', { cameraId: 'usb' });
    expect(asked).toEqual([{ audio: 'built-in', video: 'usb' }]);
    expect(preview.state).toMatchObject({ state: 'ready', camera: { deviceId: 'usb' } });
  });

  test('RQ-10 what is open is not opened again, and is let go of when it is closed', async () => {
    const { preview, asked, live } = setUp();
    await preview.open('voice', {});
    await preview.open('voice', {});
    await preview.open('video', {});
    expect(asked).toHaveLength(2);
    expect(live()).toEqual(['built-in', 'webcam']);
    await preview.open('voice', {});
    expect(live()).toEqual(['built-in']);
    preview.close();
    expect(live()).toEqual([]);
    expect(preview.state).toEqual({ state: 'off' });
  });

  test('RQ-10 says which device failed, and why', async () => {
    const { preview, desk, live } = setUp();
    desk.ask = async ({ video }) => {
      if (video !== false) throw failure('NotFoundError');
    };
    await preview.open('video', {});
    expect(preview.state).toEqual({ state: 'failed', device: 'camera', reason: 'missing' });
    expect(live()).toEqual([]);
    desk.ask = async () => {
      throw failure('NotAllowedError');
    };
    await preview.open('video', {});
    expect(preview.state).toEqual({ state: 'failed', device: 'microphone', reason: 'denied' });
    desk.ask = async () => {
      throw failure('NotReadableError');
    };
    await preview.open('voice', {});
    expect(preview.state).toEqual({ state: 'failed', device: 'microphone', reason: 'busy' });
  });

  test('RQ-10 a device that is chosen and gone is replaced by the standard one', async () => {
    const { preview, desk, asked } = setUp();
    desk.ask = async ({ audio }) => {
      if (audio === 'usb') throw failure('OverconstrainedError');
    };
    await preview.open('voice', { microphoneId: 'usb' });
    expect(asked.map(({ audio }) => audio)).toEqual(['usb', 'built-in']);
    expect(preview.state).toMatchObject({ state: 'ready', microphone: { deviceId: 'built-in' } });
  });

  test('RQ-10 what the browser brings after it was closed is let go of', async () => {
    const { preview, desk, live } = setUp();
    let answer: () => void = () => undefined;
    desk.ask = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const opening = preview.open('voice', {});
    await settled();
    preview.close();
    answer();
    await opening;
    expect(live()).toEqual([]);
    expect(preview.state).toEqual({ state: 'off' });
    desk.ask = async () => undefined;
    await preview.open('voice', {});
    expect(live()).toEqual(['built-in']);
  });

  test('WB-3 another device takes the place of the one before, which stays where that fails', async () => {
    const { preview, desk, live, replaced } = setUp();
    await preview.open('video', {});
    replaced.length = 0;
    await preview.use('microphone', 'usb');
    expect(live()).toEqual(['webcam', 'usb']);
    expect(replaced).toEqual(['microphone']);
    desk.ask = async () => {
      throw failure('NotReadableError');
    };
    await expect(preview.use('camera', 'other')).rejects.toMatchObject({ reason: 'busy' });
    expect(live()).toEqual(['webcam', 'usb']);
  });

  test('WB-3 a device that disappears is replaced by the standard one, once', async () => {
    const { preview, tracks, live } = setUp();
    await preview.open('voice', { microphoneId: 'usb' });
    tracks[0]?.unplug();
    await settled();
    expect(live()).toEqual(['built-in']);
    expect(preview.state).toMatchObject({ state: 'ready', microphone: { deviceId: 'built-in' } });
    tracks[1]?.unplug();
    await settled();
    expect(preview.state).toEqual({ state: 'failed', device: 'microphone', reason: 'lost' });
  });

  test('WB-3 a call goes on without a camera that is lost', async () => {
    const { preview, desk, tracks } = setUp();
    await preview.open('video', {});
    desk.ask = async () => {
      throw failure('NotFoundError');
    };
    tracks.find(({ kind }) => kind === 'video')?.unplug();
    await settled();
    expect(preview.state).toMatchObject({ state: 'ready', camera: null });
    expect(preview.cameraOff).toBe(false);
  });

  test('RQ-10 the camera is switched off and on again, and its light with it', async () => {
    const { preview, live, replaced } = setUp();
    await preview.open('video', {});
    replaced.length = 0;
    await preview.setCamera(false);
    expect(live()).toEqual(['built-in']);
    expect(preview.cameraOff).toBe(true);
    expect(preview.state).toMatchObject({ state: 'ready', camera: null });
    await preview.setCamera(true);
    expect(live()).toEqual(['built-in', 'webcam']);
    expect(replaced).toEqual(['camera', 'camera']);
    await preview.setCamera(false);
    // Whoever looks at themselves anew wants to be seen.
    await preview.open('video', {});
    expect(preview.state).toMatchObject({ camera: { deviceId: 'webcam' } });
  });

  test('RQ-10 a mute holds for whatever microphone is open', async () => {
    const { preview, tracks } = setUp();
    preview.setMuted(true);
    await preview.open('voice', {});
    expect(tracks[0]?.enabled).toBe(false);
    await preview.use('microphone', 'usb');
    expect(tracks[1]?.enabled).toBe(false);
    preview.setMuted(false);
    expect(tracks[1]?.enabled).toBe(true);
  });
});
