import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import { backoffMs, mediaBackoff } from './backoff.ts';
import { codeOf, RostrumError, waitOf } from './errors.ts';
import { watchNetwork } from './network.ts';
import { isUnsupported, type Receiver } from './receiver.ts';
import { TaskQueue } from './task-queue.ts';
import { Timers } from './timers.ts';
import type { Connection } from './types.ts';

export type HearingOptions = {
  readonly connection: Connection;
  readonly roomId: string;
  readonly receiver: Receiver;
  /** The id of the sending transport, where there is one. */
  readonly sendingId: () => string | undefined;
  /** The connection was away; these transports the server still has. `moved`: this machine changed its network. */
  readonly synced: (transportIds: readonly string[], moved: boolean) => void;
  /** What `room:join` has opened already, once it answers; where that is nothing, it is asked for. */
  readonly opened?: Promise<ListeningOffer | null>;
  /** The media worker that had what is sent is gone: it is to be sent anew. */
  readonly lost: () => void;
  /** The server does not know this seat, or this call, any more. */
  readonly seatLost: () => void;
};

/** Media events that wait for their turn (RE-5); a stage has 30 voices, and each comes and goes in one event. */
const queueMax = 200;

/** Hears a room, and goes on doing so: after a loss of the connection, a change of the network, the death of a media worker. */
export class Hearing {
  readonly #options: HearingOptions;
  readonly #timers = new Timers();
  readonly #queue = new TaskQueue(queueMax);
  readonly #stops: readonly (() => void)[];
  /** The next attempt to recover, when it is put off. */
  #recovery: { readonly at: number; readonly cancel: () => void } | undefined;
  #failures = 0;
  #opened: Promise<ListeningOffer | null> | undefined;
  /** There is no receiving transport, or what is left of it is of no use. */
  #needsFresh = true;
  /** The connection was away: the server is to be asked what is still there. */
  #needsSync = false;
  /** This machine changed its network. */
  #moved = false;
  #closed = false;

  constructor(options: HearingOptions) {
    this.#options = options;
    this.#opened = options.opened;
    // Where the join is refused nobody comes to wait for it.
    this.#opened?.catch(() => undefined);
    // From now on: what the server tells of a transport may come in the moment of the answer that brings it.
    this.#stops = this.#listen();
    this.#recover(0);
  }

  /** The seat is held again after the connection was away: what still flows goes on, the rest is opened anew. */
  resume(): void {
    this.#needsSync = true;
    this.#recover(0);
  }

  /** Listens anew, `inMs` milliseconds from now. */
  refresh(inMs = 0): void {
    this.#needsFresh = true;
    this.#recover(inMs);
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    this.#timers.close();
    this.#queue.close();
  }

  #listen(): (() => void)[] {
    const { connection, roomId, receiver, lost } = this.#options;
    const here =
      <Payload extends { roomId: string }>(heard: (payload: Payload) => void) =>
      (payload: Payload): void => {
        if (payload.roomId === roomId) heard(payload);
      };
    return [
      connection.onEvent(
        'media:consumers-added',
        here(({ transportId, consumers }) => this.#run(() => receiver.add(transportId, consumers))),
      ),
      connection.onEvent(
        'media:consumers-removed',
        here(({ consumerIds }) => this.#run(async () => receiver.remove(consumerIds))),
      ),
      connection.onEvent(
        'media:lost',
        here(({ receiving, sending, withinMs }) => {
          // Who speaks is heard again first, so that nobody has to be told of it later.
          if (sending) lost();
          if (!receiving) return;
          this.#run(async () => receiver.lost());
          this.refresh(Math.random() * withinMs);
        }),
      ),
      connection.onEvent(
        'media:relisten',
        here(({ withinMs }) => this.refresh(Math.random() * withinMs)),
      ),
      watchNetwork(() => {
        this.#moved = true;
      }),
    ];
  }

  /** Runs a change of the receiving transport in its turn. */
  #run(change: () => Promise<void>): void {
    this.#queue.run(change).catch((error: unknown) => this.#failed(error));
  }

  /** Does what is needed to hear the room again, `inMs` milliseconds from now at the latest. */
  #recover(inMs: number): void {
    const at = performance.now() + inMs;
    if (this.#recovery !== undefined && this.#recovery.at <= at) return;
    this.#recovery?.cancel();
    const cancel = this.#timers.after(inMs, () => {
      this.#recovery = undefined;
      this.#run(async () => {
        if (this.#needsFresh) await this.#listenAnew();
        if (this.#needsSync) await this.#sync();
        this.#failures = 0;
      });
    });
    this.#recovery = { at, cancel };
  }

  async #listenAnew(): Promise<void> {
    const opened = await this.#opened;
    this.#opened = undefined;
    // Before it is done: whoever asks meanwhile means another one.
    this.#needsFresh = false;
    try {
      await this.#options.receiver.listen(opened);
    } catch (error) {
      this.#needsFresh = true;
      throw error;
    }
  }

  /** Where it fails, `#failed` asks for another one, or whoever brings the connection back does. */
  async #sync(): Promise<void> {
    this.#needsSync = false;
    const { connection, roomId, receiver, sendingId, synced } = this.#options;
    const transportIds = [receiver.transport?.id, sendingId()].filter((transportId) => transportId !== undefined);
    const { consumerIds } = receiver;
    const answer = await connection.request('media:sync', { roomId, transportIds, consumerIds });
    const moved = this.#moved;
    this.#moved = false;
    synced(answer.transportIds, moved);
    await receiver.resume(answer, moved);
  }

  #failed(error: unknown): void {
    const { connection, seatLost } = this.#options;
    // While the connection is away nothing helps: `resume` is called when it is back. What a browser cannot do stays so.
    if (this.#closed || connection.status !== 'online' || isUnsupported(error)) return;
    if (codeOf(error) === 'not_in_room' || codeOf(error) === 'stale') {
      seatLost();
      return;
    }
    // Anything but a refusal came out of the peer connection, whose state is then unknown.
    if (!(error instanceof RostrumError)) this.#needsFresh = true;
    this.#needsSync = true;
    this.#recover(waitOf(error, backoffMs(this.#failures, mediaBackoff)));
    this.#failures += 1;
  }
}
