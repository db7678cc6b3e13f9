import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { createBlocks } from '../../src/safety/blocks.ts';
import { done, Place, refused } from './support.ts';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.remove());

describe('blocks', () => {
  it('SF-4 RQ-4 a block holds over a restart, until it is lifted', async () => {
    const [ana, bob] = [await place.person('Ana'), await place.person('Bob', 'member')];
    expect(await createBlocks(place.parts).put(ana.userId, bob.userId)).toEqual(done());
    await place.restart();
    const blocks = createBlocks(place.parts);
    expect(await blocks.by(ana.userId)).toEqual([bob.userId]);
    expect(await blocks.by(bob.userId), 'it is a matter of one side').toEqual([]);
    await blocks.remove(ana.userId, bob.userId);
    await blocks.remove(ana.userId, bob.userId);
    await place.restart();
    expect(await createBlocks(place.parts).by(ana.userId)).toEqual([]);
  });

  it('SF-4 lists those whom somebody blocked, the latest first, with their names', async () => {
    const blocks = createBlocks(place.parts);
    const [ana, bob, eve] = [await place.person('Ana'), await place.person('Bob'), await place.person('Eve')];
    await blocks.put(ana.userId, bob.userId);
    place.clock.at += 5;
    await blocks.put(ana.userId, eve.userId);
    await blocks.put(ana.userId, bob.userId);
    expect(await blocks.list(ana.userId)).toEqual({
      blocks: [
        { userId: eve.userId, displayName: 'Eve', at: place.clock.at },
        { userId: bob.userId, displayName: 'Bob', at: place.clock.at - 5 },
      ],
    });
  });

  it('SF-4 refuses oneself, and somebody who is not known, and keeps nothing of it', async () => {
    const told: string[] = [];
    const onBlocked = async (byId: string) => void told.push(byId);
    const blocks = createBlocks({ ...place.parts, onBlocked });
    const ana = await place.person('Ana');
    expect(await blocks.put(ana.userId, ana.userId)).toEqual(refused('conflict', { path: 'userId' }));
    expect(await blocks.put(ana.userId, newId())).toEqual(refused('not_found', { path: 'userId' }));
    expect(await blocks.by(ana.userId)).toEqual([]);
    expect(told).toEqual([]);
  });

  it('RE-5 SF-4 keeps so many of one person, and says so', async () => {
    const blocks = createBlocks({ ...place.parts, limits: { blocksPerPerson: 2 } });
    const [ana, bob, eve, ida] = [
      await place.person('Ana'),
      await place.person('Bob'),
      await place.person('Eve'),
      await place.person('Ida'),
    ];
    for (const each of [bob, eve]) expect(await blocks.put(ana.userId, each.userId)).toEqual(done());
    expect(await blocks.put(ana.userId, ida.userId)).toEqual(refused('blocks_full'));
    expect(await blocks.put(ana.userId, bob.userId), 'who is blocked stays so').toEqual(done());
    expect(await blocks.put(bob.userId, ida.userId), 'others have their own').toEqual(done());
    await blocks.remove(ana.userId, bob.userId);
    expect(await blocks.put(ana.userId, ida.userId)).toEqual(done());
  });

  it('SF-4 tells of a block once it is kept, and again when it is asked for again', async () => {
    const told: unknown[] = [];
    const blocks = createBlocks({
      ...place.parts,
      onBlocked: async (byId, userId) => void told.push([byId, userId, await place.records.blocks.by(byId)]),
    });
    const [ana, bob] = [await place.person('Ana'), await place.person('Bob')];
    const block = { byId: ana.userId, userId: bob.userId, displayName: 'Bob', at: place.clock.at };
    for (let times = 1; times <= 2; times++) {
      await blocks.put(ana.userId, bob.userId);
      expect(told).toHaveLength(times);
      expect(told.at(-1)).toEqual([ana.userId, bob.userId, [block]]);
    }
  });

  it('RE-4 rejects where what follows from a block fails, and the block is kept', async () => {
    const [ana, bob] = [await place.person('Ana'), await place.person('Bob')];
    const blocks = createBlocks({
      ...place.parts,
      onBlocked: async () => {
        throw new Error('the calls cannot be reached');
      },
    });
    await expect(blocks.put(ana.userId, bob.userId)).rejects.toThrow('cannot be reached');
    expect(await blocks.by(ana.userId)).toEqual([bob.userId]);
  });
});
