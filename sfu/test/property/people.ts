import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import fc from 'fast-check';
import type { Person } from '../../src/rules/room/state.ts';
import { idOf, settingsWith } from '../rules/support.ts';

/** Limits so small that a few people and a few minutes reach each of them. */
export const smallLimits: Limits = {
  ...defaultLimits,
  handsPerRoom: 3,
  invitationsPerRoom: 2,
  moderatorsPerRoom: 3,
  audienceListedMax: 4,
  audienceListedAgain: 3,
};

const guest = (name: string, addressHash: string, deviceId: string): Person => ({
  userId: idOf(name),
  displayName: name,
  kind: 'guest',
  addressHash,
  deviceId,
});

/** The members are known by their ids alone, though an edge may tell more of them. The first one opens the room. */
export const people: readonly Person[] = [
  { userId: idOf('host'), displayName: 'host', kind: 'member' },
  { userId: idOf('mia'), displayName: 'mia', kind: 'member', addressHash: 'address 1', deviceId: 'device 0' },
  { userId: idOf('max'), displayName: 'max', kind: 'member' },
  { userId: idOf('ana'), displayName: 'ana', kind: 'member' },
  { userId: idOf('ben'), displayName: 'ben', kind: 'member', addressHash: 'address 2', deviceId: 'device 1' },
  { userId: idOf('ada'), displayName: 'ada', kind: 'admin' },
  guest('gus', 'address 1', 'device 1'),
  guest('gil', 'address 1', 'device 2'),
  guest('gia', 'address 3', 'device 2'),
  guest('gem', 'address 2', 'device 3'),
];

/** Who is there before the first step, in order of arrival, and whom the host has appointed. */
export type Population = { readonly present: readonly Person[]; readonly moderators: readonly Person[] };

export const population: fc.Arbitrary<Population> = fc
  .tuple(fc.subarray([...people.slice(1)]), fc.integer({ min: 0, max: 2 }), fc.boolean())
  .map(([others, moderators, hostPresent]) => {
    const present = [...(hostPresent || others.length === 0 ? people.slice(0, 1) : []), ...others];
    return { present, moderators: hostPresent ? others.slice(0, moderators) : [] };
  });

export const settings: fc.Arbitrary<RoomSettings> = fc
  .record({
    type: fc.constantFrom('public', 'public', 'public', 'private'),
    maxSpeakers: fc.integer({ min: 1, max: 3 }),
    maxParticipants: fc.integer({ min: 4, max: 12 }),
    anyoneCanSpeak: fc.boolean(),
    hideParticipants: fc.boolean(),
  })
  .map(({ anyoneCanSpeak, hideParticipants, ...fields }) =>
    settingsWith({ ...fields, permissions: { anyoneCanSpeak }, privacy: { hideParticipants } }),
  );
