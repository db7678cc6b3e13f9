import { observer, type types } from 'mediasoup';

/** What a server has used since it started, in milliseconds of CPU time, user and system together. */
export type Usage = { readonly nodeMs: number; readonly workerMs: number };

/**
 * Watches the mediasoup workers of this process from the outside, so that it measures Rostrum, which knows nothing of
 * it, and a bare mediasoup in exactly the same way.
 */
export class Gauge {
  readonly #workers = new Set<types.Worker>();
  readonly #transports = new Set<types.Transport>();
  readonly #consumers = new Set<types.Consumer>();

  /** To be made before the first worker. */
  constructor() {
    observer.on('newworker', (worker) => {
      keep(this.#workers, worker);
      worker.observer.on('newrouter', (router) =>
        router.observer.on('newtransport', (transport) => {
          keep(this.#transports, transport);
          transport.observer.on('newconsumer', (consumer) => keep(this.#consumers, consumer));
        }),
      );
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
    const stats = await Promise.all([...this.#consumers].map((consumer) => consumer.getStats()));
    return stats.flat().reduce((total, stream) => total + (stream.type === 'outbound-rtp' ? stream.packetCount : 0), 0);
  }

  get transports(): number {
    return this.#transports.size;
  }
}

const keep = <Kept extends { readonly observer: { once(event: 'close', gone: () => void): unknown } }>(
  all: Set<Kept>,
  one: Kept,
): void => {
  all.add(one);
  one.observer.once('close', () => all.delete(one));
};
