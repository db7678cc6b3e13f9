import type { types } from 'mediasoup';
import type { RoomContext } from './room-context.ts';

/** Lets the packets of a producer through, or not. It begins switched off, with a producer that is paused. */
export class ProducerSwitch {
  readonly #producer: types.Producer;
  readonly #context: RoomContext;
  /** What was asked for last, not `producer.paused`: that follows only when the worker has answered. */
  #forwarding = false;

  constructor(producer: types.Producer, context: RoomContext) {
    this.#producer = producer;
    this.#context = context;
  }

  /** Resolves when the worker did it. Never rejects: a failure is logged, and the next call tries again. */
  async turn(forwarding: boolean): Promise<void> {
    const producer = this.#producer;
    if (forwarding === this.#forwarding || producer.closed) return;
    this.#forwarding = forwarding;
    try {
      await this.#context.worker.ask(() => (forwarding ? producer.resume() : producer.pause()));
    } catch (error) {
      if (producer.closed || this.#context.worker.closed) return;
      this.#forwarding = !forwarding;
      this.#context.logger.error(
        { roomId: this.#context.roomId, producerId: producer.id, err: error },
        'a microphone could not be switched',
      );
    }
  }
}
