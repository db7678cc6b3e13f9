import type { ModerationEntry } from '@rostrum/shared/protocol/room.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Person } from '../../src/rules/room/state.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createReports } from '../../src/safety/reports.ts';
import { done, hour, Place, refused, start } from './support.ts';

let place: Place;
let ana: Person;
let bob: Person;
let eve: Person;
beforeEach(async () => {
  place = await Place.make();
  ana = await place.person('Ana');
  bob = await place.person('Bob');
  eve = await place.person('Eve');
});
afterEach(() => place.remove());

const about = async (person: Person) => {
  const reports = await place.records.reports.about(person.userId, 9);
  return reports.map(({ evidence, ...report }) => ({ ...report, evidence: JSON.parse(evidence) as unknown }));
};
const threat = { type: 'threat', text: 'Said "I know where you live".' } as const;

const kick = (of: Person, by: Person): ModerationEntry => ({
  entryId: newId(),
  at: place.clock.at,
  act: 'kick',
  byId: by.userId,
  byName: by.displayName,
  userId: of.userId,
  displayName: of.displayName,
  reason: 'noise',
});

describe('reports from a call', () => {
  it('SF-1 keeps who, when, what was said and a copy of the chat, over a restart', async () => {
    const call = await place.call(ana, bob);
    place.clock.at += 5;
    const chat = [await place.write(call.callId, bob, 'One'), await place.write(call.callId, ana, 'Two')];
    place.clock.at += hour;
    const { endedAt } = await place.end(call);
    const report = { byId: ana.userId, callId: call.callId, ...threat };
    expect(await createReports(place.parts).fromCall(report)).toEqual(done());
    await place.records.callMessages.deleteBefore(place.clock.at + 1, 9);
    await place.records.calls.deleteBefore({ guestsBefore: place.clock.at, membersBefore: 0 }, 9);
    await place.restart();
    expect(await about(bob)).toEqual([
      {
        reportId: expect.stringMatching(/^[\w-]{22}$/),
        byId: ana.userId,
        aboutId: bob.userId,
        aboutName: 'Bob',
        place: { kind: 'call', id: call.callId },
        statements: [{ ...threat, at: place.clock.at }],
        evidence: {
          people: [ana, bob],
          mode: 'voice',
          startedAt: start,
          connectedAt: null,
          endedAt,
          reason: 'hung-up',
          endedBy: null,
          chat,
        },
      },
    ]);
  });

  it('SF-1 a second report adds to the first, with what was written since; that of the other side is another', async () => {
    const { callId } = await place.call(ana, bob);
    const reports = createReports(place.parts);
    await reports.fromCall({ byId: ana.userId, callId, ...threat });
    place.clock.at += 5;
    const message = await place.write(callId, bob, 'And another thing');
    expect(await reports.fromCall({ byId: ana.userId, callId, type: 'spam', text: '' })).toEqual(done());
    expect(await reports.fromCall({ byId: bob.userId, callId, type: 'other', text: 'No!' })).toEqual(done());
    const added = [
      { ...threat, at: start },
      { type: 'spam', text: '', at: start + 5 },
    ];
    expect(await about(bob)).toMatchObject([{ statements: added, evidence: { chat: [message], endedAt: null } }]);
    expect(await about(ana)).toMatchObject([{ byId: bob.userId, statements: [{ type: 'other' }] }]);
  });

  it('RE-5 SF-1 takes so many additions, and says that it has them', async () => {
    const { callId } = await place.call(ana, bob);
    const reports = createReports({ ...place.parts, limits: { reportAdditions: 2 } });
    const report = { byId: ana.userId, callId, ...threat };
    for (let times = 0; times < 3; times++) expect(await reports.fromCall(report)).toEqual(done());
    expect(await reports.fromCall(report)).toEqual(refused('already'));
    expect((await about(bob))[0]?.statements).toHaveLength(3);
  });

  it('RE-5 SF-1 copies the latest messages of a long chat', async () => {
    const { callId } = await place.call(ana, bob);
    for (let count = 0; count < 510; count++) await place.write(callId, count % 2 ? ana : bob, `${count}`);
    await createReports(place.parts).fromCall({ byId: ana.userId, callId, ...threat });
    const [report] = await place.records.reports.about(bob.userId, 1);
    const { chat } = JSON.parse(report?.evidence ?? '') as { chat: { text: string }[] };
    expect([chat.length, chat[0]?.text, chat.at(-1)?.text]).toEqual([500, '10', '509']);
  });

  it('SF-1 RD-14 nobody reports from a call that they were not in, or that is not kept', async () => {
    const { callId } = await place.call(ana, bob);
    const reports = createReports(place.parts);
    expect(await reports.fromCall({ byId: eve.userId, callId, ...threat })).toEqual(refused('stale'));
    expect(await reports.fromCall({ byId: ana.userId, callId: newId(), ...threat })).toEqual(refused('stale'));
    for (const person of [ana, bob]) expect(await about(person)).toEqual([]);
  });
});

describe('reports from a room', () => {
  it('SF-1 keeps who, when, what was said and a copy of the moderation log, over a restart', async () => {
    const roomId = await place.room('public', eve, [ana, bob]);
    const log = [kick(bob, eve), kick(ana, eve)];
    await place.records.moderation.append(roomId, eve.userId, log);
    await place.records.moderation.append(newId(), eve.userId, [kick(bob, eve)]);
    place.clock.at += 5;
    const report = { by: ana, roomId, userId: bob.userId, ...threat };
    expect(await createReports(place.parts).fromRoom(report)).toEqual(done());
    await place.records.moderation.deleteBefore(place.clock.at, 9);
    await place.restart();
    const evidence = { title: 'Tea', hostId: eve.userId, createdAt: start, moderation: log.toReversed() };
    expect(await about(bob)).toMatchObject([
      {
        byId: ana.userId,
        aboutName: 'Bob',
        place: { kind: 'room', id: roomId },
        statements: [{ ...threat, at: start + 5 }],
        evidence,
      },
    ]);
  });

  it('SF-1 a second report adds to the first; from another room it is another', async () => {
    const reports = createReports({ ...place.parts, limits: { reportAdditions: 1 } });
    const [one, two] = [await place.room('public', eve, [ana, bob]), await place.room('public', eve, [ana, bob])];
    const report = (roomId: string) => reports.fromRoom({ by: ana, roomId, userId: bob.userId, ...threat });
    for (const roomId of [one, one, two]) expect(await report(roomId)).toEqual(done());
    expect(await report(one)).toEqual(refused('already'));
    const kept = (await about(bob)).map(({ place: where, statements }) => [where.id, statements.length]);
    expect(Object.fromEntries(kept)).toEqual({ [one]: 2, [two]: 1 });
  });

  it('SF-1 whoever was put out of the room can still report', async () => {
    const roomId = await place.room('public', eve, [bob]);
    const reports = createReports(place.parts);
    const report = { by: ana, roomId, userId: eve.userId, ...threat };
    expect(await reports.fromRoom(report)).toEqual(refused('not_in_room'));
    await place.records.moderation.append(roomId, eve.userId, [kick(ana, eve)]);
    expect(await reports.fromRoom(report)).toEqual(done());
  });

  it('SF-1 refuses who is not inside, oneself, and somebody who is not known', async () => {
    const roomId = await place.room('public', eve, [ana, bob]);
    const reports = createReports(place.parts);
    const report = { by: ana, roomId, userId: bob.userId, ...threat };
    const stranger = await place.person('Ida', 'admin');
    expect(await reports.fromRoom({ ...report, by: stranger })).toEqual(refused('not_in_room'));
    expect(await reports.fromRoom({ ...report, userId: ana.userId })).toEqual(refused('conflict', { path: 'userId' }));
    expect(await reports.fromRoom({ ...report, userId: newId() })).toEqual(refused('not_found', { path: 'userId' }));
    for (const person of [ana, bob]) expect(await about(person)).toEqual([]);
  });

  it('SE-8 a private room is not there for those outside, like one that never was', async () => {
    const roomId = await place.room('private', eve, [ana, bob]);
    const reports = createReports(place.parts);
    const [stranger, never] = [await place.person('Ida'), newId()];
    await place.records.moderation.append(roomId, eve.userId, [kick(stranger, eve)]);
    for (const where of [roomId, never]) {
      const report = { by: stranger, roomId: where, userId: bob.userId, ...threat };
      expect(await reports.fromRoom(report)).toEqual(refused('not_found'));
    }
    expect(await reports.fromRoom({ by: ana, roomId, userId: bob.userId, ...threat })).toEqual(done());
  });
});
