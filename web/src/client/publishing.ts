import { codeOf, isPassing, RostrumError } from './errors.ts';
import { keepTrying } from './retry.ts';
import type { Sender } from './sender.ts';
import { TaskQueue } from './task-queue.ts';
import { Timers } from './timers.ts';
import type { Connection } from './types.ts';

export type PublishingOptions = {
  readonly connection: Pick<Connection, 'request' | 'status'>;
  readonly roomId: string;
  readonly sender: Sender;
  readonly track: () => MediaStreamTrack | undefined;
  readonly silent: () => boolean;
  /** Tells the room beforehand whether it is muted, where the room has a say in that. @throws RostrumError */
  readonly align: () => Promise<unknown>;
  /** The microphone is to be sent, if there is one. */
  readonly wanted: () => boolean;
  /** It is sent again, or whoever brings the connection or the seat back sees to it. */
  readonly settled: () => void;
  /** The server does not take it any more. */
  readonly refused: () => void;
};

/** Attempts to send again after the server's media was lost, with a back-off up to 10 s between them. */
const republishMax = 10;
/** And while the state of the service is out of reach, which is no fault of the microphone (RE-4): about an hour. */
const outageMax = 400;

/** Gets a microphone into the room and out of it, one step at a time, and back in when the server lost it. */
export class Publishing {
  readonly #options: PublishingOptions;
  readonly #timers = new Timers();
  readonly #queue = new TaskQueue(8);
  #republishing = false;

  constructor(options: PublishingOptions) {
    this.#options = options;
  }

  /** Sends the track in place of the one that is sent, without a negotiation where there is one. @throws RostrumError, Error */
  send(track: MediaStreamTrack): Promise<void> {
    const { sender } = this.#options;
    return this.#queue.run(() => (sender.sending ? sender.replaceTrack(track) : this.#publish()));
  }

  /** Sends again what was sent, with back-off. */
  async again(): Promise<void> {
    const { connection, sender, wanted, settled, refused } = this.#options;
    if (this.#republishing) return;
    this.#republishing = true;
    // Without the connection, or the seat, there is nothing to do here: it is asked for again when they are back.
    const isAway = (error: unknown): boolean => connection.status !== 'online' || codeOf(error) === 'not_in_room';
    let failures = 0;
    const mayPass = (error: unknown): boolean => {
      if (codeOf(error) === 'unavailable') return true;
      failures += 1;
      return failures < republishMax && (isPassing(error) || !(error instanceof RostrumError));
    };
    const outcome = await keepTrying({
      attempt: () => this.#queue.run(() => this.#publish()),
      wanted: () => wanted() && !sender.sending,
      again: (error) => !isAway(error) && mayPass(error),
      most: outageMax,
      timers: this.#timers,
    });
    this.#republishing = false;
    if (outcome.kind === 'failed' && !isAway(outcome.error)) refused();
    else settled();
    // It was lost once more in the moment when it had just been sent.
    if (outcome.kind === 'done' && wanted() && !sender.sending) await this.again();
  }

  /** Tells the room that the microphone is closed. Where that fails, coming back or the end of the seat makes up for it. */
  async withdraw(): Promise<void> {
    const { connection, roomId } = this.#options;
    await this.#queue.run(() => connection.request('media:unpublish', { roomId })).catch(() => undefined);
  }

  close(): void {
    this.#timers.close();
    this.#queue.close();
  }

  async #publish(): Promise<void> {
    const { connection, roomId, sender, track: current, silent, align } = this.#options;
    const track = current();
    if (track === undefined) return;
    const aligned = align();
    const published = sender.publish(track, silent()).catch(async (error: unknown) => {
      const code = codeOf(error);
      // The room still counts a microphone that is gone.
      if (code === 'already') await connection.request('media:unpublish', { roomId });
      // Or the transport is at a node that was left meanwhile: this one does not know it.
      else if (code !== 'not_found') throw error;
      await sender.publish(track, silent());
    });
    await Promise.all([aligned, published]);
  }
}
