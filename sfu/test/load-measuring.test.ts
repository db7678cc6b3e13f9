import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refused } from '../bench/lib/refused.ts';
import { TimeHistogram } from '../bench/load/histogram.ts';
import { ListenerStats } from '../bench/load/listener-stats.ts';
import { sharedMs, sinceTimestamp, timestampAt } from '../bench/load/rtp-clock.ts';
import { StreamStats } from '../bench/load/stream-stats.ts';
import { mergeTallies, Tally } from '../bench/load/tally.ts';

/** Packets of one voice, numbered on from `first`, of which some are lost and some come late. */
const stream = fc.record({
  first: fc.integer({ min: 0, max: 0xffff }),
  lost: fc.array(fc.boolean(), { minLength: 3, maxLength: 400 }),
  late: fc.integer({ min: 0, max: 5 }),
});

/** An RTP header and nothing else (RFC 3550 section 5.1). */
const packetOf = ({ ssrc, sequence, timestamp }: { ssrc: number; sequence: number; timestamp: number }): Buffer => {
  const packet = Buffer.alloc(12);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(timestamp, 4);
  packet.writeUInt32BE(ssrc, 8);
  return packet;
};

describe('what a load measures', () => {
  it('OP-5 counts what was lost by the sequence numbers, over their end and out of order', () => {
    fc.assert(
      fc.property(stream, ({ first, lost, late }) => {
        // What is lost at either end no receiver can know of.
        const came = [false, ...lost, false].flatMap((isLost, index) => (isLost ? [] : [index]));
        const order = came.toSorted(
          (one, other) => one + (one % 7 === 3 ? late : 0) - (other + (other % 7 === 3 ? late : 0)),
        );
        const begins = order.indexOf(0);
        const stats = new StreamStats();
        for (const index of order.slice(begins)) stats.take((first + index) & 0xffff, index * 960, index * 20);
        expect(begins).toBe(0);
        expect(stats.received).toBe(came.length);
        expect(stats.expected).toBe(lost.length + 2);
        expect(stats.lost).toBe(lost.filter(Boolean).length);
      }),
    );
  });

  it('OP-5 a stream that begins anew has lost nothing, and one that comes twice neither', () => {
    const stats = new StreamStats();
    for (const sequence of [10, 11, 12, 12, 40_000, 40_001]) stats.take(sequence, 0, 0);
    expect(stats).toMatchObject({ received: 6, expected: 5, lost: 0 });
  });

  it('OP-5 measures jitter as RFC 3550 does: none for an even stream, and a sixteenth of each change', () => {
    const stats = new StreamStats();
    for (let index = 0; index < 100; index += 1) stats.take(index, 960 * index, 20 * index);
    expect(stats.jitterMs).toBe(0);
    stats.take(100, 960 * 100, 20 * 100 + 16);
    expect(stats.jitterMs).toBeCloseTo(1, 5);
  });

  it('OP-5 tells how old a sound is by its timestamp, also where the timestamps go round', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (now, age) => {
          fc.pre(now >= age);
          expect(sinceTimestamp(timestampAt(now - age), now)).toBeCloseTo(age, 0);
          expect(timestampAt(now)).toBeLessThan(2 ** 32);
        },
      ),
    );
  });

  it('OP-5 a listener counts each voice by itself, times those of its own speakers, and keeps what left', () => {
    const times = new Tally().times;
    const listener = new ListenerStats(times);
    listener.follow(1, true);
    listener.follow(2, false);
    const spoken = sharedMs() - 100;
    for (let sequence = 0; sequence < 32; sequence += 1) {
      listener.take(packetOf({ ssrc: 1, sequence, timestamp: timestampAt(spoken) }));
      listener.take(packetOf({ ssrc: 2, sequence: 2 * sequence, timestamp: 0 }));
      listener.take(packetOf({ ssrc: 3, sequence, timestamp: 0 }));
    }
    expect(listener.counts).toEqual({ received: 64, expected: 95, lost: 31 });
    listener.unfollow(2);
    expect(listener.counts).toEqual({ received: 64, expected: 95, lost: 31 });
    expect(listener.voicesHeard).toBe(1);
    expect(times.latency.total).toBe(32);
    expect(times.latency.quantile(0)).toBeGreaterThanOrEqual(98);
    expect(times.jitter.total).toBe(2);
    listener.take(Buffer.from([0x80]));
    expect(listener.counts.received).toBe(64);
  });

  it('OP-5 gives quantiles that are right to two percent, and those of several processes as of one', () => {
    const values = fc.array(fc.double({ min: 0.1, max: 500_000, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 300 }), fc.constantFrom(0.5, 0.95, 0.99, 1), (all, cut, share) => {
        const whole = new TimeHistogram();
        const parts = [new TimeHistogram(), new TimeHistogram()] as const;
        for (const [index, value] of all.entries()) {
          whole.record(value);
          parts[index < cut ? 0 : 1].record(value);
        }
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? Number.NaN;
        const told = whole.quantile(share) ?? Number.NaN;
        expect(told).toBeGreaterThanOrEqual(exact * 0.999);
        expect(told).toBeLessThanOrEqual(exact * 1.021);
        expect(TimeHistogram.of(parts.map((part) => part.figures())).summary()).toEqual(whole.summary());
      }),
    );
  });

  it('OP-5 adds up what several processes counted, and tells failures apart up to a bound', () => {
    const one = new Tally();
    const other = new Tally();
    for (const tally of [one, other]) {
      tally.count('asked');
      tally.failed('room:join', new Refused('room:join', 'node_full'));
    }
    one.left({ received: 9, expected: 10, lost: 1 });
    other.left({ received: 0, expected: 0, lost: 0 });
    const both = mergeTallies([one.figures(), other.figures([{ received: 5, expected: 5, lost: 0 }])]);
    expect(both.counters.asked).toBe(2);
    expect(both.failures).toEqual({ 'room:join node_full': 2 });
    expect(both.media).toEqual({ received: 14, expected: 15, lost: 1 });
    expect(both.lossShares).toEqual([0.1, 0]);
    expect(both.silent).toBe(1);
    for (let index = 0; index < 1000; index += 1) one.failed('room:join', new Refused('room:join', `made_up_${index}`));
    expect(Object.keys(one.figures().failures).length).toBeLessThanOrEqual(201);
  });
});
