import { describe, expect, test, vi } from 'vitest';
import type { RoomMediaState } from '../../src/media/media-plane.ts';
import { MediaFollower } from '../../src/rooms/media-follower.ts';

const stateOf = (roomId: string, version: number): RoomMediaState => ({
  roomId,
  version,
  audioQuality: 'medium',
  stage: new Map(),
  microphones: new Map(),
});

/** Media that follows when it is told to, and what it followed. */
const following = () => {
  const followed: string[] = [];
  const steps: (() => void)[] = [];
  const reconcile = async ({ roomId, version }: RoomMediaState): Promise<void> => {
    followed.push(`${roomId} ${version}`);
    await new Promise<void>((resolve) => steps.push(resolve));
  };
  const settle = async (): Promise<void> => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      step();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { follower: new MediaFollower({ reconcile }, { error: () => undefined }), followed, settle };
};

describe('Media follows state', () => {
  test('RE-1 to the newest one, one step at a time', async () => {
    const { follower, followed, settle } = following();
    for (const version of [1, 2, 3]) follower.follow(stateOf('room', version));
    expect(followed).toEqual(['room 1']);
    await settle();
    expect(followed).toEqual(['room 1', 'room 3']);
  });

  test('RE-1 one that comes after a later one is not followed; the same again is', async () => {
    const { follower, followed, settle } = following();
    for (const version of [2, 1, 3, 2, 3]) {
      follower.follow(stateOf('room', version));
      await settle();
    }
    follower.follow(stateOf('another', 1));
    expect(followed).toEqual(['room 2', 'room 3', 'room 3', 'another 1']);
  });

  test('MD-3 a node that is reminded of what it followed a moment ago does not do it for each of a crowd', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { follower, followed, settle } = following();
    const remind = async (version: number): Promise<void> => {
      follower.remind(stateOf('room', version));
      await settle();
    };
    for (const version of [1, 1, 1, 2, 1, 2]) await remind(version);
    expect(followed).toEqual(['room 1', 'room 2']);
    vi.advanceTimersByTime(1000);
    for (const version of [2, 2, 1]) await remind(version);
    expect(followed).toEqual(['room 1', 'room 2', 'room 2']);
    follower.end('room');
    vi.advanceTimersByTime(1000);
    await remind(2);
    expect(followed).toHaveLength(3);
    vi.useRealTimers();
  });

  test('RE-1 a late one does not take the place of the one that waits', async () => {
    const { follower, followed, settle } = following();
    for (const version of [1, 5, 4]) follower.follow(stateOf('room', version));
    await settle();
    expect(followed).toEqual(['room 1', 'room 5']);
  });

  test('RE-1 nothing is followed of a room that is over, neither what waits nor what comes', async () => {
    const { follower, followed, settle } = following();
    follower.follow(stateOf('room', 1));
    follower.follow(stateOf('room', 2));
    follower.end('room');
    await settle();
    follower.follow(stateOf('room', 1_000_000));
    await settle();
    expect(followed).toEqual(['room 1']);
  });

  test('RE-5 remembers 10,000 rooms, and forgets the one that was heard of longest ago', async () => {
    const { follower, followed, settle } = following();
    follower.end('first');
    follower.follow(stateOf('second', 9));
    for (let room = 0; room < 9998; room += 1) follower.end(`room ${room}`);
    follower.follow(stateOf('second', 9));
    follower.follow(stateOf('first', 1));
    expect(followed).toEqual(['second 9']);
    follower.end('one more');
    follower.follow(stateOf('first', 1));
    follower.follow(stateOf('second', 8));
    await settle();
    expect(followed).toEqual(['second 9', 'first 1', 'second 9']);
  });
});
