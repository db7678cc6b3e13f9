import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import type { ClusterStore, HeldSession, NodeRecord } from '../../src/state/cluster-store.ts';
import type { SuiteClock } from './suite-clock.ts';

/** A store to test, empty, as several nodes see it; in memory there is but one. */
export type ClusterUnderTest = {
  readonly stores: readonly ClusterStore[];
  readonly clock: SuiteClock;
  close(): Promise<void>;
};

const nodeRecord = (name = 'north', more: Partial<NodeRecord> = {}): NodeRecord => ({
  nodeId: `${name}~${newId()}`,
  name,
  version: '1.2.3',
  protocol: 1,
  machine: 'a machine',
  internalAddress: '10.0.0.1:3001',
  draining: false,
  load: { sockets: 1, rooms: 2, consumers: 3, full: false },
  ...more,
});

const session = (more: Partial<HeldSession> = {}): HeldSession => ({
  userId: newId(),
  sessionId: newId(),
  roomId: null,
  ...more,
});

/** So long that nobody is silent, and so short that everybody is. */
const plentyMs = 3_600_000;

const bySession = (one: HeldSession, other: HeldSession): number => (one.sessionId < other.sessionId ? -1 : 1);

type Place = HeldSession & { readonly nodeId: string };

const holdingStep = fc.record({
  what: fc.constantFrom('hold', 'hold', 'release'),
  node: fc.nat(2),
  sessionId: fc.constantFrom('one', 'two', 'three'),
  roomId: fc.constantFrom(null, 'here', 'there'),
});
type HoldingStep = typeof holdingStep extends fc.Arbitrary<infer Value> ? Value : never;

/** Holds and releases one person's sessions at these nodes, and answers where they should be then. */
const playHolding = async (
  seenBy: (index: number) => ClusterStore,
  { steps, nodeIds, userId }: { steps: readonly HoldingStep[]; nodeIds: readonly string[]; userId: string },
): Promise<Place[]> => {
  const places = new Map<string, Place>();
  for (const { what, node, sessionId, roomId } of steps) {
    const nodeId = nodeIds[node] ?? '';
    if (what === 'hold') {
      await seenBy(node).hold(nodeId, { userId, sessionId, roomId });
      places.set(sessionId, { userId, sessionId, roomId, nodeId });
    } else {
      const isHeld = places.get(sessionId)?.nodeId === nodeId;
      expect(await seenBy(node).release(nodeId, { userId, sessionId })).toBe(isHeld);
      if (isHeld) places.delete(sessionId);
    }
  }
  return [...places.values()];
};

/** What every store of nodes must do. */
export const clusterStoreContract = (name: string, open: () => Promise<ClusterUnderTest>): void => {
  describe(`cluster store contract: ${name}`, () => {
    let under: ClusterUnderTest;
    let store: ClusterStore;
    beforeEach(async () => {
      under = await open();
      const [first] = under.stores;
      if (!first) throw new Error('there is a store');
      store = first;
    });
    afterEach(() => under.close());

    /** The store as another node sees it. */
    const seenBy = (index: number): ClusterStore => under.stores[index % under.stores.length] ?? store;

    const enlisted = async (node = nodeRecord()): Promise<NodeRecord> => {
      expect(await store.enlist(node, plentyMs)).toBe('enlisted');
      return node;
    };

    /** A moment after everything that was seen so far. */
    const later = async (): Promise<number> => {
      const at = under.clock.latest() + 1;
      await under.clock.until(at + 1);
      return at;
    };

    const givenUp = async (node: NodeRecord): Promise<void> => {
      expect(await store.giveUp(node.nodeId, await later())).toBe(true);
    };

    it('OP-4 knows a node from its beginning on, with what it says of itself and when it was seen', async () => {
      const earliest = under.clock.earliest();
      const north = await enlisted(nodeRecord('north', { internalAddress: '[fd00::2]:3001' }));
      const east = await enlisted(nodeRecord('east'));
      const nodes = await seenBy(1).nodes();
      expect(nodes).toMatchObject([
        { ...east, givenUp: false },
        { ...north, givenUp: false },
      ]);
      for (const { seenAt } of nodes) {
        expect(seenAt).toBeGreaterThanOrEqual(earliest);
        expect(seenAt).toBeLessThanOrEqual(under.clock.latest());
      }
    });

    it('OP-4 MD-3 keeps what a node says at its last beat, and when that was', async () => {
      const north = await enlisted();
      const [first] = await store.nodes();
      const changed = { ...north, draining: true, load: { sockets: 7, rooms: 8, consumers: 9, full: true } };
      const at = await later();
      expect(await store.beat(changed)).toBe('alive');
      const [known] = await store.nodes();
      expect(known).toMatchObject(changed);
      expect(known?.seenAt).toBeGreaterThanOrEqual(at - under.clock.slackMs);
      expect(known?.seenAt).toBeGreaterThan(first?.seenAt ?? Number.NaN);
    });

    it('OP-4 refuses a second node of a name while the first one was seen', async () => {
      const north = await enlisted();
      const second = nodeRecord();
      expect(await seenBy(1).enlist(second, plentyMs)).toBe('taken');
      expect((await store.nodes()).map(({ nodeId }) => nodeId)).toEqual([north.nodeId]);
      expect(await seenBy(1).beat(second)).toBe('fenced');
      expect(await store.beat(north)).toBe('alive');
    });

    it('RE-3 takes a node of the same name in when the first one was silent, which is given up by it', async () => {
      const north = await enlisted();
      await later();
      const second = nodeRecord();
      expect(await seenBy(1).enlist(second, 0)).toBe('enlisted');
      expect(await store.beat(north)).toBe('fenced');
      expect(await store.beat(second)).toBe('alive');
      const states = (await store.nodes()).map(({ nodeId, givenUp: isGivenUp }) => [nodeId, isGivenUp]);
      expect(new Map(states.map(([nodeId, state]) => [nodeId, state]))).toEqual(
        new Map([
          [north.nodeId, true],
          [second.nodeId, false],
        ]),
      );
    });

    it('RE-3 takes a node of the same name in at once when the first one was given up, or left', async () => {
      const north = await enlisted();
      await givenUp(north);
      const second = await enlisted(nodeRecord());
      await store.forget(second.nodeId);
      const third = await enlisted(nodeRecord());
      // The first one, which is swept only now, takes nothing of the third one with it.
      await store.forget(north.nodeId);
      expect(await store.beat(third)).toBe('alive');
      expect(await store.enlist(nodeRecord(), plentyMs)).toBe('taken');
    });

    it('RE-4 takes a node in that says again that it is there, but not one that was given up', async () => {
      const north = await enlisted();
      const one = session();
      await store.hold(north.nodeId, one);
      expect(await store.enlist({ ...north, draining: true }, plentyMs)).toBe('enlisted');
      expect(await store.nodes()).toMatchObject([{ nodeId: north.nodeId, draining: true }]);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([one]);
      await givenUp(north);
      expect(await store.enlist(north, plentyMs)).toBe('taken');
      expect(await store.enlist(north, 0)).toBe('taken');
    });

    it('OP-4 lets one of many nodes of one name begin, however many begin at once', async () => {
      const nodes = Array.from({ length: 12 }, () => nodeRecord());
      const answers = await Promise.all(nodes.map((node, index) => seenBy(index).enlist(node, plentyMs)));
      expect(answers.filter((answer) => answer === 'enlisted')).toHaveLength(1);
      const [known, ...others] = await store.nodes();
      expect(others).toEqual([]);
      expect(known?.nodeId).toBe(nodes[answers.indexOf('enlisted')]?.nodeId);
    });

    it('OP-4 lets many nodes of different names begin at once', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `node-${index}`);
      await Promise.all(names.map((it, index) => seenBy(index).enlist(nodeRecord(it), plentyMs)));
      expect((await store.nodes()).map(({ name: it }) => it)).toEqual(names.toSorted());
    });

    it('RE-3 gives up only a node that was silent, and tells it so', async () => {
      const north = await enlisted();
      expect(await seenBy(1).giveUp(north.nodeId, under.clock.earliest() - plentyMs)).toBe(false);
      expect(await store.beat(north)).toBe('alive');
      const since = await later();
      expect(await store.beat(north)).toBe('alive');
      expect(await seenBy(1).giveUp(north.nodeId, since - under.clock.slackMs - 1)).toBe(false);
      await givenUp(north);
      expect(await store.beat(north)).toBe('fenced');
      expect(await store.nodes()).toMatchObject([{ nodeId: north.nodeId, givenUp: true }]);
      // Whoever comes second hears the same, and it stays given up.
      expect(await seenBy(2).giveUp(north.nodeId, 0)).toBe(true);
      expect(await store.beat(north)).toBe('fenced');
    });

    it('RE-3 knows nothing of a node that never began', async () => {
      const stranger = nodeRecord();
      expect(await store.beat(stranger)).toBe('fenced');
      expect(await store.giveUp(stranger.nodeId, Number.MAX_SAFE_INTEGER)).toBe(false);
      await store.hold(stranger.nodeId, session());
      await store.forget(stranger.nodeId);
      expect(await store.heldBy(stranger.nodeId, 10)).toEqual([]);
      expect(await store.nodes()).toEqual([]);
    });

    it('OP-4 knows which sessions a node holds, and where a person is', async () => {
      const north = await enlisted();
      const south = await enlisted(nodeRecord('south'));
      const userId = 'https://people.example/a person with blanks';
      const phone = session({ userId, roomId: newId() });
      const laptop = session({ userId });
      const other = session();
      await store.hold(north.nodeId, phone);
      await store.hold(south.nodeId, laptop);
      await store.hold(north.nodeId, other);
      expect((await seenBy(1).heldBy(north.nodeId, 10)).toSorted(bySession)).toEqual(
        [phone, other].toSorted(bySession),
      );
      expect(await seenBy(1).heldBy(south.nodeId, 10)).toEqual([laptop]);
      expect((await seenBy(2).sessionsOf(userId)).toSorted(bySession)).toEqual(
        [
          { ...phone, nodeId: north.nodeId },
          { ...laptop, nodeId: south.nodeId },
        ].toSorted(bySession),
      );
      expect(await store.sessionsOf(newId())).toEqual([]);
    });

    it('OP-4 keeps nodes apart whose names begin alike', async () => {
      const nodes = await Promise.all(['node', 'node-1', 'node-10', 'nod'].map((it) => enlisted(nodeRecord(it))));
      const sessions = nodes.map(() => session());
      for (const [index, { nodeId }] of nodes.entries()) await store.hold(nodeId, sessions[index] ?? session());
      for (const [index, { nodeId }] of nodes.entries())
        expect(await store.heldBy(nodeId, 10)).toEqual([sessions[index]]);
    });

    it('OP-4 holds a session in the room in which it is now', async () => {
      const north = await enlisted();
      const one = session();
      const inRoom = { ...one, roomId: newId() };
      await store.hold(north.nodeId, one);
      await store.hold(north.nodeId, inRoom);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([inRoom]);
      await store.hold(north.nodeId, one);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([one]);
      expect(await store.sessionsOf(one.userId)).toEqual([{ ...one, nodeId: north.nodeId }]);
    });

    it('RE-2 moves a session to the node where it comes back, and the old one changes nothing of it', async () => {
      const north = await enlisted();
      const south = await enlisted(nodeRecord('south'));
      const one = session({ roomId: newId() });
      await store.hold(north.nodeId, one);
      await seenBy(1).hold(south.nodeId, one);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([]);
      expect(await store.release(north.nodeId, one)).toBe(false);
      expect(await store.heldBy(south.nodeId, 10)).toEqual([one]);
      expect(await store.sessionsOf(one.userId)).toEqual([{ ...one, nodeId: south.nodeId }]);
      await store.forget(north.nodeId);
      expect(await store.sessionsOf(one.userId)).toEqual([{ ...one, nodeId: south.nodeId }]);
      expect(await store.release(south.nodeId, one)).toBe(true);
      expect(await store.release(south.nodeId, one)).toBe(false);
      expect(await store.sessionsOf(one.userId)).toEqual([]);
    });

    it('RE-2 leaves a session to the node that took it last, where another one only says that it has it', async () => {
      const north = await enlisted();
      const south = await enlisted(nodeRecord('south'));
      const one = session({ roomId: newId() });
      const unlessElsewhere = { unlessElsewhere: true };
      await store.hold(north.nodeId, one, unlessElsewhere);
      expect(await store.sessionsOf(one.userId)).toEqual([{ ...one, nodeId: north.nodeId }]);
      await store.hold(north.nodeId, { ...one, roomId: null }, unlessElsewhere);
      expect(await store.sessionsOf(one.userId)).toEqual([{ ...one, roomId: null, nodeId: north.nodeId }]);
      await seenBy(1).hold(south.nodeId, one, unlessElsewhere);
      expect(await store.sessionsOf(one.userId)).toEqual([{ ...one, roomId: null, nodeId: north.nodeId }]);
      await seenBy(1).hold(south.nodeId, one);
      await store.hold(north.nodeId, { ...one, roomId: null }, unlessElsewhere);
      expect(await store.sessionsOf(one.userId)).toEqual([{ ...one, nodeId: south.nodeId }]);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([]);
    });

    it('RE-3 lets a node that was given up hold nothing more, so that nothing is left of it', async () => {
      const north = await enlisted();
      const south = await enlisted(nodeRecord('south'));
      const [one, other] = [session(), session()];
      await store.hold(north.nodeId, one);
      await store.hold(south.nodeId, other);
      await givenUp(north);
      await store.hold(north.nodeId, session());
      await store.hold(north.nodeId, other);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([one]);
      expect(await store.sessionsOf(other.userId)).toEqual([{ ...other, nodeId: south.nodeId }]);
      expect(await store.release(north.nodeId, one)).toBe(true);
      expect(await store.heldBy(north.nodeId, 10)).toEqual([]);
    });

    it('RE-3 gives what a node holds in pages, to whoever asks again after releasing them', async () => {
      const north = await enlisted();
      const sessions = Array.from({ length: 57 }, () => session({ roomId: newId() }));
      await Promise.all(sessions.map((it, index) => seenBy(index).hold(north.nodeId, it)));
      await givenUp(north);
      const seen: HeldSession[] = [];
      const sizes: number[] = [];
      for (;;) {
        const page = await store.heldBy(north.nodeId, 20);
        if (page.length === 0) break;
        sizes.push(page.length);
        seen.push(...page);
        for (const it of page) expect(await store.release(north.nodeId, it)).toBe(true);
      }
      expect(sizes).toEqual([20, 20, 17]);
      expect(seen.toSorted(bySession)).toEqual(sessions.toSorted(bySession));
    });

    it('RE-3 forgets a node with everything that it holds', async () => {
      const north = await enlisted();
      const south = await enlisted(nodeRecord('south'));
      const sessions = Array.from({ length: 250 }, () => session());
      await Promise.all(sessions.map((it) => store.hold(north.nodeId, it)));
      const kept = session();
      await store.hold(south.nodeId, kept);
      await store.forget(north.nodeId);
      expect(await store.heldBy(north.nodeId, 1000)).toEqual([]);
      for (const it of sessions.slice(0, 5)) expect(await store.sessionsOf(it.userId)).toEqual([]);
      expect(await store.nodes()).toMatchObject([{ nodeId: south.nodeId }]);
      expect(await store.heldBy(south.nodeId, 10)).toEqual([kept]);
      expect(await store.beat(north)).toBe('fenced');
      await store.forget(north.nodeId);
    });

    it('RE-1 has each session at the node that took it last, whatever happens in whatever order', async () => {
      const nodes = await Promise.all(['a', 'b', 'c'].map((it) => enlisted(nodeRecord(it))));
      const nodeIds = nodes.map(({ nodeId }) => nodeId);
      await fc.assert(
        fc.asyncProperty(fc.array(holdingStep, { maxLength: 30 }), async (steps) => {
          const userId = newId();
          const places = await playHolding(seenBy, { steps, nodeIds, userId });
          expect((await store.sessionsOf(userId)).toSorted(bySession)).toEqual(places.toSorted(bySession));
          for (const nodeId of nodeIds) {
            const held = await store.heldBy(nodeId, 10);
            expect(held.map((it) => ({ ...it, nodeId })).toSorted(bySession)).toEqual(
              places.filter((place) => place.nodeId === nodeId).toSorted(bySession),
            );
            for (const it of held) await store.release(nodeId, it);
          }
        }),
        { numRuns: 60 },
      );
    });

    it('RE-1 has a session at one node alone, however many take it at once', async () => {
      const nodes = await Promise.all(['a', 'b', 'c'].map((it) => enlisted(nodeRecord(it))));
      for (let round = 0; round < 20; round += 1) {
        const one = session();
        await Promise.all(nodes.map(({ nodeId }, index) => seenBy(index).hold(nodeId, { ...one, roomId: `${index}` })));
        const [place, ...others] = await store.sessionsOf(one.userId);
        expect(others).toEqual([]);
        for (const { nodeId } of nodes) {
          const held = await store.heldBy(nodeId, 10);
          expect(held.map(({ sessionId }) => sessionId)).toEqual(nodeId === place?.nodeId ? [one.sessionId] : []);
          await store.release(nodeId, one);
        }
      }
    });
  });
};
