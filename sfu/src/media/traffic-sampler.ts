import type { types } from 'mediasoup';
import type { MediaCounters } from './media-counters.ts';
import { opusCodec } from './opus.ts';
import type { ForwardedVoice, Tenant } from './tenant.ts';

/**
 * RE-5: so many producers, and consumers, of one worker are asked in one look, in turn, however many rooms it has. A hundred rooms
 * with ten microphones on two workers are all asked within half a minute, for a request every 40 ms.
 */
const voicesALook = 20;
const listenersALook = 5;

/** A receiver report counts lost packets in parts of 256 (RFC 3550 section 6.4.1). */
const fractions = 256;

export type TrafficSamplerOptions = {
  readonly tenants: Iterable<Tenant>;
  /** Asks the worker, which may be dead: then it rejects. */
  readonly ask: <T>(request: () => Promise<T>) => Promise<T>;
  readonly counters: MediaCounters;
};

/** What was seen of the traffic of a worker since it was asked before. */
export type Traffic = {
  /** Packets that went out, by what was seen of the voices. */
  readonly sent: number;
  /** Of the voices there are, how many were looked at. */
  readonly looked: number;
  readonly voices: number;
};

/**
 * Counts the packets of a worker (OP-1). mediasoup counts them by stream, and there are too many streams to ask: so each voice is
 * asked for what came, and that is taken to have gone to everybody it is sent to.
 */
export class TrafficSampler {
  readonly #options: TrafficSamplerOptions;
  readonly #counted = new WeakMap<types.Producer, { packets: number; lost: number }>();
  #nextVoice = 0;
  #nextListener = 0;

  constructor(options: TrafficSamplerOptions) {
    this.#options = options;
  }

  /** Looks at some voices and some listeners, the next ones each time. Never rejects. */
  async look(): Promise<Traffic> {
    const tenants = [...this.#options.tenants];
    // What is not sent on, and did not come from a person, is nobody's traffic.
    const all = tenants
      .flatMap((tenant) => [...tenant.forwarded()])
      .filter((voice) => voice.isMicrophone || voice.streams > 0);
    const voices = turn(all, this.#nextVoice, voicesALook);
    this.#nextVoice += voices.length;
    const heard = tenants.flatMap((tenant) => [...tenant.heard()]);
    const listeners = turn(heard, this.#nextListener, listenersALook);
    this.#nextListener += listeners.length;
    const [sent] = await Promise.all([
      Promise.all(voices.map((voice) => this.#count(voice))),
      Promise.all(listeners.map((consumer) => this.#report(consumer))),
    ]);
    return { sent: sent.reduce((sum, packets) => sum + packets, 0), looked: voices.length, voices: all.length };
  }

  /** Answers with the packets of this voice that went out since it was looked at before. */
  async #count({ producer, streams, isMicrophone }: ForwardedVoice): Promise<number> {
    const stats = await this.#ask(producer, () => producer.getStats());
    if (stats === undefined) return 0;
    const before = this.#counted.get(producer) ?? { packets: 0, lost: 0 };
    const packets = Math.max(before.packets, sum(stats, 'packetCount'));
    // Falls when packets come after all that had been counted as lost: what was told of is not taken back.
    const lost = Math.max(before.lost, sum(stats, 'packetsLost'));
    this.#counted.set(producer, { packets, lost });
    const came = packets - before.packets;
    if (isMicrophone) this.#options.counters.packetsCame(came, lost - before.lost);
    this.#options.counters.packetsWent(came * streams);
    return came * streams;
  }

  async #report(consumer: types.Consumer): Promise<void> {
    const stats = await this.#ask(consumer, () => consumer.getStats());
    const stream = stats?.find(({ type }) => type === 'outbound-rtp');
    // Of a voice that is silent, or before the first report, there is nothing to tell.
    if (stream === undefined || stream.bitrate === 0 || !(stream.jitter > 0 || stream.fractionLost > 0)) return;
    this.#options.counters.listenerReported({
      loss: stream.fractionLost / fractions,
      jitter: stream.jitter / opusCodec.clockRate,
    });
  }

  async #ask<T>(of: { readonly closed: boolean }, request: () => Promise<T>): Promise<T | undefined> {
    if (of.closed) return undefined;
    try {
      return await this.#options.ask(request);
    } catch {
      // It was closed meanwhile, or its worker died; who has it knows.
      return undefined;
    }
  }
}

/** So many of them, from this one on, and round again. */
const turn = <T>(all: readonly T[], from: number, most: number): T[] => {
  const start = all.length === 0 ? 0 : from % all.length;
  return [...all.slice(start), ...all.slice(0, start)].slice(0, most);
};

const sum = <Name extends string>(stats: readonly Readonly<Record<Name, number>>[], name: Name): number =>
  stats.reduce((total, stream) => total + stream[name], 0);
