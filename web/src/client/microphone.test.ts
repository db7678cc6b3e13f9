import type { CommandName } from '@rostrum/shared/protocol/index.ts';
import type { MicrophoneState, RoomView } from '@rostrum/shared/protocol/room.ts';
import { afterEach, expect, test, vi } from 'vitest';
import { RostrumError } from './errors.ts';
import { RoomMicrophone } from './microphone.ts';
import type { Sender } from './sender.ts';
import { me, participant, roomId, roomView } from './test-support.ts';
import type { Connection, LocalMicrophone, MicrophoneOptions } from './types.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A device as the browser gives it; there is none in Node. */
class Track extends EventTarget {
  readonly kind = 'audio';
  readonly label: string;
  enabled = true;
  readyState: 'live' | 'ended' = 'live';
  contentHint = '';

  constructor(label: string) {
    super();
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

const seatedView = (microphone: MicrophoneState): RoomView => ({
  ...roomView(),
  stage: [participant(me, 'host', { microphone })],
});

/** A microphone whose room, server and devices are played by the test. */
const setUp = () => {
  const room = {
    view: seatedView('off'),
    states: [] as LocalMicrophone[],
    tracks: [] as Track[],
    requests: [] as string[],
    sending: false,
    paused: false,
    published: 0,
    closed: 0,
    refuse: undefined as string | undefined,
    devices: (_: MicrophoneOptions | undefined): Track => new Track('built-in'),
    answer: async (_: string): Promise<void> => undefined,
  };
  const sender = {
    get sending() {
      return room.sending;
    },
    get transport() {
      return room.sending ? { id: 'send' } : undefined;
    },
    publish: async (_: unknown, paused: boolean) => {
      if (room.refuse === 'already' && !room.requests.includes('media:unpublish'))
        throw new RostrumError('already', '');
      if (room.refuse === 'forbidden' || room.refuse === 'unavailable') throw new RostrumError(room.refuse, '');
      if (room.refuse === 'not_found' && room.published === 0) {
        room.refuse = undefined;
        throw new RostrumError('not_found', '');
      }
      room.published += 1;
      room.sending = true;
      room.paused = paused;
    },
    replaceTrack: async () => undefined,
    setPaused: (paused: boolean) => {
      room.paused = paused;
    },
    check: () => undefined,
    outlive: () => {
      room.sending = false;
    },
    close: () => {
      room.sending = false;
      room.closed += 1;
    },
  };
  const connection = {
    status: 'online',
    request: async (name: CommandName, input: object) => {
      room.requests.push('muted' in input ? `${name} ${input.muted}` : name);
      await room.answer(name);
    },
  };
  const microphone = new RoomMicrophone({
    connection: connection as unknown as Connection,
    roomId,
    sender: sender as unknown as Sender,
    getUserMedia: async (constraints) => {
      const { deviceId } = constraints.audio as { deviceId?: { exact: string } };
      const track = room.devices(deviceId === undefined ? undefined : { deviceId: deviceId.exact });
      room.tracks.push(track);
      return { getTracks: () => [track] } as unknown as MediaStream;
    },
    view: () => room.view,
    changed: (state) => room.states.push(state),
  });
  microphone.follow(room.view);
  const say = (state: MicrophoneState): void => {
    room.view = seatedView(state);
    microphone.follow(room.view);
  };
  return { room, microphone, say };
};

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test('WB-3 opens the microphone and says so', async () => {
  const { room, microphone } = setUp();
  await microphone.open({});
  expect(room.states.map(({ state }) => state)).toEqual(['asking', 'live']);
  expect(microphone.state).toEqual({ state: 'live', muted: false, deviceId: 'built-in', label: 'built-in' });
  expect(room.paused).toBe(false);
});

test('WB-2 a listener is refused before the microphone is asked for', async () => {
  const { room, microphone } = setUp();
  room.view = { ...roomView(), stage: [], self: { ...roomView().self, role: 'listener' } };
  await expect(microphone.open({})).rejects.toMatchObject({ code: 'forbidden' });
  expect(room.tracks).toHaveLength(0);
});

test('MD-10 is silent here before the server knows that it is muted', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({});
  say('open');
  room.answer = () => {
    expect(room.paused).toBe(true);
    expect(room.tracks[0]?.enabled).toBe(false);
    return Promise.resolve();
  };
  await microphone.setMuted(true);
  expect(microphone.state).toMatchObject({ state: 'live', muted: true });
});

test('MD-10 stays silent when the mute did not reach the server, and tells it when the connection is back', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({});
  say('open');
  room.answer = () => Promise.reject(new RostrumError('network', ''));
  await microphone.setMuted(true);
  say('open');
  expect(room.paused).toBe(true);
  room.answer = () => Promise.resolve();
  microphone.resume(['send'], false);
  await settled();
  expect(room.requests.filter((name) => name === 'room:mute-toggle true')).toHaveLength(2);
});

test('MO-1 is heard again only after the server allowed it', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({});
  await microphone.setMuted(true);
  say('muted');
  room.answer = () => {
    expect(room.paused).toBe(true);
    return Promise.resolve();
  };
  await microphone.setMuted(false);
  // The answer came first; the room still says that it is muted.
  expect(room.paused).toBe(true);
  say('open');
  expect(room.paused).toBe(false);
});

test('MO-1 a moderator mutes it, and a lock holds', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({});
  say('open');
  say('locked');
  expect(room.paused).toBe(true);
  expect(microphone.state).toMatchObject({ muted: true });
  room.answer = () => Promise.reject(new RostrumError('muted_locked', ''));
  await expect(microphone.setMuted(false)).rejects.toMatchObject({ code: 'muted_locked' });
  expect(room.paused).toBe(true);
});

test('WB-3 push-to-talk: the last of quick toggles counts', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({ muted: true });
  expect(microphone.state).toMatchObject({ muted: true });
  say('muted');
  const down = microphone.setMuted(false);
  const up = microphone.setMuted(true);
  await Promise.all([down, up]);
  say('open');
  expect(room.paused).toBe(true);
});

test('RO-5 stops the device as soon as the person is off the stage, even while it is being asked for', async () => {
  const { room, microphone, say } = setUp();
  say('off');
  const opening = microphone.open({});
  room.view = { ...room.view, stage: [participant('other', 'speaker')] };
  microphone.follow(room.view);
  await opening;
  expect(microphone.state).toEqual({ state: 'off' });
  expect(room.tracks[0]?.readyState).toBe('ended');
  expect(room.published).toBe(0);
});

test('RO-5 demoted: the light goes off and nothing is sent', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({});
  say('open');
  room.view = { ...room.view, self: { ...room.view.self, role: 'listener' } };
  microphone.follow(room.view);
  expect(room.tracks[0]?.readyState).toBe('ended');
  expect(room.sending).toBe(false);
  expect(microphone.state).toEqual({ state: 'off' });
});

test('WB-3 falls back once to the standard device when the chosen one disappears', async () => {
  const { room, microphone } = setUp();
  room.devices = (asked) => new Track(asked?.deviceId ?? 'built-in');
  await microphone.open({ deviceId: 'usb' });
  room.tracks[0]?.unplug();
  await settled();
  expect(microphone.state).toMatchObject({ state: 'live', label: 'built-in', notice: { kind: 'fell-back' } });
  expect(room.published).toBe(1);
  room.tracks[1]?.unplug();
  await settled();
  expect(microphone.state).toEqual({ state: 'failed', reason: 'lost' });
  expect(room.requests.at(-1)).toBe('media:unpublish');
});

test('WB-3 keeps the microphone that is open when another cannot be opened', async () => {
  const { room, microphone } = setUp();
  await microphone.open({});
  room.devices = () => {
    throw new DOMException('', 'NotReadableError');
  };
  await microphone.open({ deviceId: 'usb' });
  expect(microphone.state).toMatchObject({ state: 'live', notice: { kind: 'not-switched', reason: 'busy' } });
  expect(room.tracks[0]?.readyState).toBe('live');
});

test('WB-3 says why it could not be opened', async () => {
  const { room, microphone } = setUp();
  room.devices = () => {
    throw new DOMException('', 'NotAllowedError');
  };
  await microphone.open({});
  expect(microphone.state).toEqual({ state: 'failed', reason: 'denied' });
});

test('MD-9 refused by the server: closed, and thrown', async () => {
  const { room, microphone } = setUp();
  room.refuse = 'forbidden';
  await expect(microphone.open({})).rejects.toMatchObject({ code: 'forbidden' });
  expect(microphone.state).toEqual({ state: 'failed', reason: 'refused' });
  expect(room.tracks[0]?.readyState).toBe('ended');
});

test('MD-8 sends again when the server lost its media, and clears what the room still counts', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({});
  say('open');
  room.refuse = 'already';
  microphone.lost();
  await settled();
  expect(room.published).toBe(2);
  expect(room.requests).toContain('media:unpublish');
  expect(microphone.state).toMatchObject({ state: 'live' });
});

test('RE-2 takes back a microphone that a page before this one left open', async () => {
  const { room, microphone, say } = setUp();
  say('open');
  microphone.resume([], false);
  await settled();
  expect(room.requests).toEqual(['media:unpublish']);
});

test('OP-2 after a move to another node it is published anew, and the old one is not closed for it', async () => {
  const { room, microphone, say } = setUp();
  await microphone.open({});
  say('open');
  room.closed = 0;
  microphone.resume([], false);
  await settled();
  expect(room.published).toBe(2);
  expect(room.closed).toBe(0);
  expect(microphone.state.state).toBe('live');
});

test('OP-2 a microphone that was opened at a node which was left meanwhile is opened at the next one', async () => {
  const { room, microphone } = setUp();
  room.refuse = 'not_found';
  await microphone.open({});
  expect(microphone.state.state).toBe('live');
  expect([room.published, room.sending]).toEqual([1, true]);
});

test('RE-4 a microphone that was lost while the state of the service is out of reach is sent again when it is back', async () => {
  vi.useFakeTimers();
  const { room, microphone, say } = setUp();
  await microphone.open({});
  say('open');
  room.refuse = 'unavailable';
  microphone.lost();
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect([room.published, microphone.state.state]).toEqual([1, 'live']);
  room.refuse = undefined;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([room.published, microphone.state.state]).toEqual([2, 'live']);
});
