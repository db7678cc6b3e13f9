import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeForListener } from '../../src/media/placement.ts';

/** A worker that has so much reserved of so much. */
const place = ({ reserved, capacity, isOpen }: { reserved: number; capacity: number; isOpen: boolean }) => ({
  reserved,
  capacity,
  isOpen,
  hasRoomFor: (packets: number) => reserved + packets <= capacity,
});
const somePlace = fc
  .record({ reserved: fc.nat(1000), capacity: fc.nat(1000), isOpen: fc.boolean() })
  .map((parts) => place(parts));
const costs = fc.record({ listener: fc.integer({ min: 1, max: 200 }), relay: fc.nat(200), isInside: fc.boolean() });

test('MD-2 MD-3 a listener is placed where there is room, and where it costs least', () => {
  fc.assert(
    fc.property(fc.array(somePlace, { maxLength: 6 }), costs, (places, cost) => {
      const costOf = ({ isOpen, reserved }: (typeof places)[number]) => reserved + (isOpen ? 0 : cost.relay);
      const fits = (each: (typeof places)[number]) => costOf(each) + cost.listener <= each.capacity;
      const found = placeForListener(places, cost);
      const candidates = places.some(fits) ? places.filter(fits) : places.filter(() => cost.isInside);
      if (candidates.length === 0) expect(found).toBeUndefined();
      else expect(found && costOf(found)).toBe(Math.min(...candidates.map(costOf)));
      if (found !== undefined) expect(candidates).toContain(found);
    }),
  );
});

test('MD-2 a crowd that comes one by one is spread over every worker, and no worker has more than its share', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 10, max: 400 }), (workers, people) => {
      const cost = { listener: 200, relay: 200, isInside: false };
      const reserved = Array.from({ length: workers }, () => 0);
      const isOpen = Array.from({ length: workers }, () => false);
      for (let count = 0; count < people; count += 1) {
        const places = reserved.map((packets, index) => ({
          index,
          ...place({ reserved: packets, capacity: 1_000_000, isOpen: isOpen[index] ?? false }),
        }));
        const { index } = placeForListener(places, cost) ?? { index: 0 };
        // The relay costs the worker of the stage, which is the first.
        if (!isOpen[index]) reserved[0] = (reserved[0] ?? 0) + cost.relay;
        reserved[index] = (reserved[index] ?? 0) + cost.listener;
        isOpen[index] = true;
      }
      const spread = Math.max(...reserved) - Math.min(...reserved);
      // What the relays of all of them cost, and one listener.
      expect(spread).toBeLessThanOrEqual(cost.relay * workers + cost.listener);
    }),
  );
});

test('MD-2 a second worker is used once the first has more to do than feeding a router there takes', () => {
  const cost = { listener: 200, relay: 200, isInside: false };
  const first = place({ reserved: 150, capacity: 10_000, isOpen: true });
  const second = place({ reserved: 0, capacity: 10_000, isOpen: false });
  expect(placeForListener([first, second], cost)).toBe(first);
  const busier = place({ reserved: 250, capacity: 10_000, isOpen: true });
  expect(placeForListener([busier, second], cost)).toBe(second);
});
