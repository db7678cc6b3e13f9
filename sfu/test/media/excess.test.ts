import { expect, test } from 'vitest';
import { Rig, until } from './harness.ts';

test('MD-5 a microphone that sends far more than its room takes is closed', async () => {
  const rig = await Rig.start();
  const room = rig.room('low');
  const [ann, ben] = [room.enter({ speaker: true }), room.enter({ speaker: true })];
  const producerId = await ann.speak(440, { bitrate: 510_000 });
  await ben.speak(440);
  await until('ann is stopped', () => rig.told.unpublished.length > 0, 15_000);
  expect(rig.told.unpublished).toEqual([[ann.seat, producerId]]);
  expect(rig.plane.load()).toMatchObject([{ producers: 1, transports: 1 }]);
  await rig.close();
});
