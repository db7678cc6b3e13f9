import type { Bus, BusMessage } from '../../cluster/bus.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { BusConnection } from '../../state/bus-connection.ts';
import { busEvent, type RostrumServer } from '../socket/types.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope } from './bus-messages.ts';
import { useStreamAdapter } from './stream-adapter.ts';

/** How often a node says how many messages it has told, in milliseconds: so late is noticed that the last one was lost. */
const countMs = 2000;
/** While the bus opens: how often it is tried, and how long, in milliseconds. A message is back within a few. */
const tryMs = 50;
const openMs = 5000;
/** Nodes whose count is kept (RE-5); each run of a node is one. Those not heard of for longest go. */
const mostNodes = 1000;

export type StreamsBusOptions = {
  readonly io: RostrumServer;
  /** This node, as others know it. */
  readonly nodeId: string;
  readonly connection: BusConnection;
  readonly logger: Logger;
  /** Something that another node told was lost on the way. What it was is not known: everything has to be made good. */
  readonly missed: () => void;
};

export type StreamsBus = Bus & {
  /** Ends telling and reading, and lets go of the connection. */
  close(): Promise<void>;
};

/**
 * The bus over Socket.IO's Redis Streams adapter. Messages of a node are numbered, so that whoever misses one notices: because it
 * was told while Redis was away, or because who reads was away for longer than the stream keeps entries. Resolves when messages
 * go round; rejects where they do not.
 */
export const openStreamsBus = async (options: StreamsBusOptions): Promise<StreamsBus> => {
  const bus = new AdapterBus(options);
  try {
    await bus.open();
  } catch (error) {
    await bus.close();
    throw error;
  }
  return bus;
};

class AdapterBus implements StreamsBus {
  readonly #options: StreamsBusOptions;
  readonly #takers: ((message: BusMessage, from: string) => void)[] = [];
  /** How many messages each node had told with the last one that was read. */
  readonly #counts = new Map<string, number>();
  readonly #complained = new Set<string>();
  #count = 0;
  /** The count that the others have been told. */
  #known = 0;
  #isOpen = false;
  #isClosed = false;
  #cameBack: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StreamsBusOptions) {
    this.#options = options;
    const { io, connection, logger } = options;
    useStreamAdapter(io, connection, {
      logger,
      cameBack: () => this.#cameBack(),
      failed: () => {
        this.#known = -1;
      },
    });
    io.on(busEvent, (text) => this.#take(text));
    connection.whenReady(() => this.#sayCount());
  }

  /**
   * Until something of one's own has come back, reading has no place in the stream yet (it begins with `$`, what comes next), and
   * would miss what comes between two reads.
   */
  async open(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#cameBack = resolve;
    const again = setInterval(() => this.#say(), tryMs);
    const limit = setTimeout(
      () => reject(new Error('what this node tells others over Redis does not come back to it')),
      openMs,
    );
    try {
      await promise;
    } finally {
      clearInterval(again);
      clearTimeout(limit);
    }
    this.#isOpen = true;
    this.#timer = setInterval(() => this.#sayCount(), countMs);
    this.#timer.unref();
  }

  tell(message: BusMessage): void {
    this.#count += 1;
    this.#say(message);
  }

  listen(take: (message: BusMessage, from: string) => void): void {
    this.#takers.push(take);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#options.connection.close();
  }

  #sayCount(): void {
    if (this.#isOpen && this.#known !== this.#count) this.#say();
  }

  #say(message?: BusMessage): void {
    const { io, nodeId, connection, logger } = this.#options;
    if (this.#isClosed || !connection.takes()) return;
    const text = encodeEnvelope({ from: nodeId, count: this.#count, ...(message ? { message } : {}) });
    if (text === undefined) {
      this.#complain('too long', () =>
        logger.error({ kind: message?.kind }, 'a message is too long to be told to other nodes'),
      );
      return;
    }
    // Whoever is told this one sees by its number whether one before it was lost; after the last one, the count says so.
    if (message === undefined) this.#known = this.#count;
    io.serverSideEmit(busEvent, text);
  }

  /** Never throws: the adapter would read the same entry for ever. */
  #take(text: unknown): void {
    const { nodeId, logger } = this.#options;
    const envelope = typeof text === 'string' ? decodeEnvelope(text) : ({ problem: 'malformed' } as const);
    if ('problem' in envelope) {
      const { problem } = envelope;
      this.#complain(problem, () =>
        logger.error({ problem }, 'something on the bus between nodes cannot be understood'),
      );
      return;
    }
    if (envelope.from === nodeId || this.#isClosed || !this.#follows(envelope)) return;
    const { message, from } = envelope;
    if (message === undefined) return;
    for (const take of this.#takers)
      try {
        take(message, from);
      } catch (error) {
        logger.error({ err: error, kind: message.kind }, 'what another node told could not be done');
      }
  }

  /** Notes the number. Answers whether this comes after everything that was read of this node. */
  #follows({ from, count, message }: Envelope): boolean {
    const before = this.#counts.get(from);
    if (before !== undefined && (count < before || (count === before && message !== undefined))) return false;
    this.#counts.delete(from);
    this.#counts.set(from, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > mostNodes && oldest !== undefined) this.#counts.delete(oldest);
    const expected = (before ?? 0) + (message === undefined ? 0 : 1);
    // Of a node that was there before this one, all but the present was never meant for it.
    if (count > expected && (before !== undefined || this.#isOpen)) this.#options.missed();
    return true;
  }

  #complain(about: string, say: () => void): void {
    if (this.#complained.has(about)) return;
    this.#complained.add(about);
    say();
  }
}
