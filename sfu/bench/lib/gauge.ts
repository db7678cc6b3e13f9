import { observer, type types } from 'mediasoup';

/** What a server has used since it started, in milliseconds of CPU time, user and system together. */
export type Usage = { readonly nodeMs: number; readonly workerMs: number };

/** What the media of a server came to while it was watched, in packets: of those who were there from beginning to end. */
export type Flow = {
  /** From microphones. */
  readonly received: number;
  /** Sent from one router to another, and received there. */
  readonly relayed: number;
  readonly relayReceived: number;
  /** Sent to listeners, and what their routers had to send: what came of each voice, for everybody who is sent it. */
  readonly forwarded: number;
  readonly expected: number;
};

/** What is open in a server. */
export type Counts = {
  readonly workers: number;
  readonly routers: number;
  readonly transports: number;
  readonly producers: number;
  readonly consumers: number;
};

/** A media worker, with what it serves. */
export type WorkerCounts = {
  readonly pid: number;
  readonly routers: number;
  /** Transports of people. */
  readonly people: number;
  readonly microphones: number;
};

type Open = { readonly worker: types.Worker; readonly transport: types.Transport };

/** Packets that each had sent or received when it was begun to watch. */
type Watched = {
  readonly producers: ReadonlyMap<types.Producer, number>;
  readonly consumers: ReadonlyMap<types.Consumer, number>;
};

/**
 * Watches the mediasoup workers of this process from the outside, so that it measures Rostrum, which knows nothing of
 * it, and a bare mediasoup in exactly the same way.
 */
export class Gauge {
  readonly #workers = new Set<types.Worker>();
  readonly #routers = new Map<types.Router, types.Worker>();
  readonly #transports = new Map<types.Transport, types.Worker>();
  readonly #producers = new Map<types.Producer, Open>();
  readonly #consumers = new Map<types.Consumer, Open>();
  #watched: Watched = { producers: new Map(), consumers: new Map() };

  /** To be made before the first worker. */
  constructor() {
    observer.on('newworker', (worker) => {
      this.#workers.add(worker);
      worker.observer.once('close', () => this.#workers.delete(worker));
      worker.observer.on('newrouter', (router) => {
        keep(this.#routers, router, worker);
        router.observer.on('newtransport', (transport) => {
          keep(this.#transports, transport, worker);
          transport.observer.on('newproducer', (producer) => keep(this.#producers, producer, { worker, transport }));
          transport.observer.on('newconsumer', (consumer) => keep(this.#consumers, consumer, { worker, transport }));
        });
      });
    });
  }

  /** The workers say themselves what they used, by `getrusage`: exact to a millisecond, with no other process in it. */
  async usage(): Promise<Usage> {
    const { user, system } = process.cpuUsage();
    const workers = await Promise.all([...this.#workers].map((worker) => worker.getResourceUsage()));
    const workerMs = workers.reduce((total, { ru_utime, ru_stime }) => total + ru_utime + ru_stime, 0);
    return { nodeMs: (user + system) / 1000, workerMs };
  }

  /** RTP packets that the consumers there are have sent. It asks every one of them, so not while CPU time is measured. */
  async packetsSent(): Promise<number> {
    const sent = await Promise.all([...this.#consumers.keys()].map((one) => packetsOf(one, 'outbound-rtp')));
    return sent.reduce((total, packets) => total + packets, 0);
  }

  /** What is counted from now on is what `flow` tells. It asks every one of them, so not while CPU time is measured. */
  async watch(): Promise<void> {
    const producers = new Map<types.Producer, number>();
    const consumers = new Map<types.Consumer, number>();
    await Promise.all([
      ...[...this.#producers.keys()].map(async (one) => producers.set(one, await packetsOf(one, 'inbound-rtp'))),
      ...[...this.#consumers.keys()].map(async (one) => consumers.set(one, await packetsOf(one, 'outbound-rtp'))),
    ]);
    this.#watched = { producers, consumers };
  }

  /** What came and went since `watch`. It asks every one of them again. */
  async flow(): Promise<Flow> {
    const flow = { received: 0, relayed: 0, relayReceived: 0, forwarded: 0, expected: 0 };
    const had = new Map<string, number>();
    const { producers, consumers } = this.#watched;
    await Promise.all(
      [...producers].map(async ([producer, before]) => {
        const open = this.#producers.get(producer);
        if (open === undefined) return;
        const packets = (await packetsOf(producer, 'inbound-rtp')) - before;
        had.set(producer.id, packets);
        if (open.transport.type === 'webrtc') flow.received += packets;
        if (open.transport.type === 'pipe') flow.relayReceived += packets;
      }),
    );
    await Promise.all(
      [...consumers].map(async ([consumer, before]) => {
        const open = this.#consumers.get(consumer);
        // Levels are read through consumers too, by the server itself.
        if (open === undefined || open.transport.type === 'direct') return;
        const packets = (await packetsOf(consumer, 'outbound-rtp')) - before;
        if (open.transport.type === 'pipe') flow.relayed += packets;
        if (open.transport.type !== 'webrtc') return;
        flow.forwarded += packets;
        flow.expected += had.get(consumer.producerId) ?? 0;
      }),
    );
    return flow;
  }

  get transports(): number {
    return this.#transports.size;
  }

  get counts(): Counts {
    return {
      workers: this.#workers.size,
      routers: this.#routers.size,
      transports: this.#transports.size,
      producers: this.#producers.size,
      consumers: this.#consumers.size,
    };
  }

  workers(): WorkerCounts[] {
    return [...this.#workers].map((worker) => ({
      pid: worker.pid,
      routers: [...this.#routers.values()].filter((on) => on === worker).length,
      people: [...this.#transports].filter(([{ type }, on]) => on === worker && type === 'webrtc').length,
      microphones: [...this.#producers.values()].filter(
        (open) => open.worker === worker && open.transport.type === 'webrtc',
      ).length,
    }));
  }
}

/** RTP packets of one direction; none where it is gone by now. A consumer tells of the stream that feeds it besides. */
const packetsOf = async (
  one: types.Producer | types.Consumer,
  type: 'inbound-rtp' | 'outbound-rtp',
): Promise<number> => {
  try {
    const streams = await one.getStats();
    return streams.reduce((total, stream) => total + (stream.type === type ? stream.packetCount : 0), 0);
  } catch {
    return 0;
  }
};

type Closing = { readonly observer: { once(event: 'close', gone: () => void): unknown } };

const keep = <Kept extends Closing, Where>(all: Map<Kept, Where>, one: Kept, where: Where): void => {
  all.set(one, where);
  one.observer.once('close', () => all.delete(one));
};
