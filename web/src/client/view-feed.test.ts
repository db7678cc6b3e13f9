import type { RoomView, RoomViewEvent } from '@rostrum/shared/protocol/room.ts';
import { foldRoomView } from '@rostrum/shared/room/view.ts';
import { describe, expect, test } from 'vitest';
import { idOf, participant, roomId, roomView, seeded } from './test-support.ts';
import { aheadMax, answered, asking, type Feed, pushed, startFeed, taken, unanswered, wantsSync } from './view-feed.ts';

const ending = (sequence: number, endsAt: number): RoomViewEvent => ({
  name: 'room:ending-soon',
  payload: { roomId, view: 'room', sequence, endsAt },
});

const joined = (sequence: number, name: string): RoomViewEvent => ({
  name: 'room:participant-joined',
  payload: { roomId, view: 'room', sequence, participant: participant(idOf(name), 'listener') },
});

const at = (sequence: Partial<RoomView['sequence']>, more: Partial<RoomView> = {}): RoomView => {
  const view = roomView();
  return { ...view, ...more, sequence: { ...view.sequence, ...sequence } };
};

describe('RE-1 the view of a room', () => {
  test('RE-1 folds events in their order and wants nothing', () => {
    const feed = [ending(1, 10), ending(2, 20)].reduce(taken, startFeed(roomView()));
    expect(feed.view.endsAt).toBe(20);
    expect(feed.view.sequence.room).toBe(2);
    expect(wantsSync(feed)).toBe(false);
  });

  test('RE-1 asks for a sync on a gap, and shows nothing of what came after it', () => {
    const feed = taken(startFeed(roomView()), ending(2, 20));
    expect(feed.view.endsAt).toBeNull();
    expect(wantsSync(feed)).toBe(true);
  });

  test('RE-1 needs no sync when the missing event comes late', () => {
    const feed = [ending(3, 30), ending(2, 20), ending(1, 10)].reduce(taken, startFeed(roomView()));
    expect(feed.view.endsAt).toBe(30);
    expect(wantsSync(feed)).toBe(false);
  });

  test('RE-1 counts a person once when their arrival is delivered twice', () => {
    const feed = [joined(1, 'ana'), joined(1, 'ana'), joined(3, 'bob'), joined(3, 'bob'), joined(2, 'cem')].reduce(
      taken,
      startFeed(roomView()),
    );
    expect(feed.view.audience.count).toBe(3);
  });

  test('RE-1 folds what came while the whole view was on its way, though that view is older', () => {
    let feed = taken(startFeed(roomView()), ending(2, 20));
    feed = asking(feed);
    expect(wantsSync(feed)).toBe(false);
    feed = taken(feed, ending(3, 30));
    feed = answered(feed, at({ room: 2 }, { endsAt: 20 }));
    expect(feed.view.endsAt).toBe(30);
    expect(wantsSync(feed)).toBe(false);
  });

  test('RE-1 keeps an event that was folded while a whole view was on its way', () => {
    let feed = asking(startFeed(roomView()));
    feed = taken(feed, ending(1, 10));
    expect(feed.view.endsAt).toBe(10);
    feed = answered(feed, roomView());
    expect(feed.view.endsAt).toBe(10);
  });

  test('RE-1 does not ask for ever about a view that one does not have any more, and knows how far it was', () => {
    const late: RoomViewEvent = {
      name: 'room:hand-lowered',
      payload: { roomId, view: 'staff', sequence: 7, userId: idOf('ana') },
    };
    const as = (role: RoomView['self']['role'], staff: number) =>
      at({ staff }, { self: { ...roomView().self, role }, staff: role === 'listener' ? null : roomView().staff });
    const feed = answered(asking(taken(startFeed(as('listener', 0)), late)), as('listener', 0));
    expect(wantsSync(feed)).toBe(false);
    expect(wantsSync(pushed(feed, as('moderator', 7)))).toBe(false);
    expect(wantsSync(pushed(feed, as('moderator', 6)))).toBe(true);
  });

  test('RE-1 asks again when the answer leaves a gap, or when there was none', () => {
    const gap = asking(taken(startFeed(roomView()), ending(5, 50)));
    expect(wantsSync(answered(gap, at({ room: 3 })))).toBe(true);
    expect(wantsSync(unanswered(gap))).toBe(true);
  });

  test('RE-1 does not go back to a whole view that was overtaken, and asks instead', () => {
    const feed = pushed(
      [ending(1, 10), ending(2, 20)].reduce(taken, startFeed(roomView())),
      at({ room: 1 }, { endsAt: 10 }),
    );
    expect(feed.view.endsAt).toBe(20);
    expect(wantsSync(feed)).toBe(true);
  });

  test('RE-1 accepts an older whole view as the answer: the server lost its count', () => {
    let feed = [ending(1, 10), ending(2, 20)].reduce(taken, startFeed(roomView()));
    feed = answered(asking(feed), at({ room: 0 }));
    expect(feed.view.sequence.room).toBe(0);
    expect(wantsSync(feed)).toBe(true);
    feed = answered(asking(feed), at({ room: 0 }));
    expect(wantsSync(feed)).toBe(false);
  });

  test('RE-1 takes events that came before the first view', () => {
    const feed = startFeed(at({ room: 1 }, { endsAt: 10 }), [ending(2, 20), ending(1, 10)]);
    expect(feed.view.endsAt).toBe(20);
  });

  test('RE-5 keeps no more than so many events that wait, and asks again for those it dropped', () => {
    let feed: Feed = asking(startFeed(roomView()));
    for (let sequence = 2; sequence < aheadMax + 100; sequence += 1) feed = taken(feed, ending(sequence, sequence));
    expect(feed.ahead.length).toBe(aheadMax);
    feed = answered(feed, at({ room: 1 }));
    expect(feed.view.sequence.room).toBe(aheadMax + 1);
    expect(wantsSync(feed)).toBe(true);
  });

  test('RM-10 asks for the audience when it is listed again, and once only when the server does not give it', () => {
    const unlisted = at({}, { audience: { count: 150, members: null } });
    let feed = startFeed({ ...unlisted, info: { ...unlisted.info, audienceListed: false } });
    expect(wantsSync(feed)).toBe(false);
    feed = taken(feed, {
      name: 'room:updated',
      payload: { roomId, view: 'room', sequence: 1, info: { ...feed.view.info, audienceListed: true } },
    });
    expect(wantsSync(feed)).toBe(true);
    feed = answered(asking(feed), { ...feed.view, audience: { count: 70, members: null } });
    expect(wantsSync(feed)).toBe(false);
    feed = answered(asking(feed), { ...feed.view, audience: { count: 70, members: [] } });
    expect(wantsSync(feed)).toBe(false);
  });
});

/** The server's side: every event that happened, and what somebody who saw all of them would see. */
const history = (random: () => number, length: number): { events: RoomViewEvent[]; views: RoomView[] } => {
  const events: RoomViewEvent[] = [];
  const views = [roomView()];
  const people = Array.from({ length: 8 }, (_, index) => idOf(`p${index}`));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  for (let index = 0; index < length; index += 1) {
    const view = views.at(-1) as RoomView;
    const { sequence } = view;
    const room = { roomId, view: 'room', sequence: sequence.room + 1 } as const;
    const staff = { roomId, view: 'staff', sequence: sequence.staff + 1 } as const;
    const self = { roomId, view: 'self', sequence: sequence.self + 1 } as const;
    const userId = pick(people);
    const hand = { userId, displayName: 'x', raisedAt: index };
    const event = pick<RoomViewEvent>([
      { name: 'room:participant-joined', payload: { ...room, participant: participant(userId, 'listener') } },
      { name: 'room:participant-left', payload: { ...room, userId, role: 'listener', reason: 'left' } },
      { name: 'room:updated', payload: { ...room, info: { ...view.info, title: `Title ${index}` } } },
      { name: 'room:ending-soon', payload: { ...room, endsAt: index } },
      { name: 'room:hand-raised', payload: { ...staff, hand, position: 1 } },
      { name: 'room:hand-lowered', payload: { ...staff, userId } },
      { name: 'room:hand-right-changed', payload: { ...self, allowed: random() < 0.5 } },
    ]);
    const folded = foldRoomView(view, event);
    if (folded.kind !== 'folded') throw new Error('the history itself has a gap');
    events.push(event);
    views.push(folded.view);
  }
  return { events, views };
};

/** What reaches the client: the last event of each view for certain, others lost, late and twice. */
const delivered = (random: () => number, events: readonly RoomViewEvent[]): { event: RoomViewEvent; at: number }[] => {
  const last = new Set(
    ['room', 'staff', 'self'].map((name) => events.findLast(({ payload }) => payload.view === name)),
  );
  return events
    .flatMap((event, index) => {
      if (!last.has(event) && random() < 0.1) return [];
      const late = random() < 0.2 ? Math.floor(random() * 6) : 0;
      const once = { event, at: index + late };
      return random() < 0.05 ? [once, { event, at: index + late + 3 }] : [once];
    })
    .sort((one, other) => one.at - other.at);
};

/** A client that hears this, asks when it wants to, and is answered some time later, or not at all. */
const hear = (
  random: () => number,
  views: readonly RoomView[],
  heard: readonly { event: RoomViewEvent; at: number }[],
): Feed => {
  let feed = startFeed(roomView());
  let answer = roomView();
  const answers = (): Feed => (random() < 0.2 ? unanswered(feed) : answered(feed, answer));
  for (const { event, at: index } of heard) {
    feed = taken(feed, event);
    const now = random() < 0.3;
    if (now && feed.asked) feed = answers();
    else if (now && wantsSync(feed)) {
      feed = asking(feed);
      // The server looks after the question, and its answer arrives some events later.
      answer = views[Math.min(views.length - 1, index + 1)] ?? answer;
    }
  }
  return feed.asked ? answered(feed, answer) : feed;
};

test('RE-1 sees in the end what happened, whatever is lost, late or delivered twice (400 seeds)', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seeded(seed);
    const { events, views } = history(random, 60);
    let feed = hear(random, views, delivered(random, events));
    let syncs = 0;
    for (; wantsSync(feed); syncs += 1) feed = answered(asking(feed), views.at(-1) as RoomView);
    expect(syncs, `seed ${seed}`).toBeLessThanOrEqual(2);
    expect(feed.view, `seed ${seed}`).toEqual(views.at(-1));
  }
});
