import type { types } from 'mediasoup';
import type { RoomContext } from './room-context.ts';
import type { RoomVoice, RoutedVoice } from './room-voice.ts';

export type RelayedVoiceParts = {
  readonly source: RoomVoice;
  /** On the stage's router: what sends it. */
  readonly consumer: types.Consumer;
  /** On the audience's router: what it becomes there. */
  readonly producer: types.Producer;
  /** Of the stage's router. */
  readonly context: RoomContext;
};

/**
 * A voice of the stage as an audience router has it. Of one that is muted no packet comes; of one that the stage gate holds back
 * (MD-6) none either, as the sending side is paused: one request, and nothing is done for anybody who listens.
 */
export class RelayedVoice implements RoutedVoice {
  readonly source: RoomVoice;
  readonly producer: types.Producer;
  readonly #consumer: types.Consumer;
  readonly #context: RoomContext;
  /** What was asked for last, not `consumer.paused`: that follows only when the worker has answered. */
  #isOpen: boolean;

  constructor({ source, consumer, producer, context }: RelayedVoiceParts) {
    this.source = source;
    this.producer = producer;
    this.#consumer = consumer;
    this.#context = context;
    this.#isOpen = !consumer.paused;
  }

  get userId(): string {
    return this.source.userId;
  }

  get producerId(): string {
    return this.source.producerId;
  }

  get routedId(): string {
    return this.producer.id;
  }

  get closed(): boolean {
    return this.producer.closed;
  }

  /** Whether packets are sent on, if any come. */
  get isSent(): boolean {
    return this.#isOpen && !this.source.muted;
  }

  /** Answers whether this was a change. The worker's part never rejects: a failure is logged, and the next call tries again. */
  turn(isOpen: boolean): boolean {
    if (isOpen === this.#isOpen || this.source.closed || this.#consumer.closed) return false;
    this.#isOpen = isOpen;
    void this.#ask(isOpen);
    return true;
  }

  async #ask(isOpen: boolean): Promise<void> {
    const { worker, logger, roomId } = this.#context;
    const consumer = this.#consumer;
    try {
      await worker.ask(() => (isOpen ? consumer.resume() : consumer.pause()));
    } catch (error) {
      if (consumer.closed || worker.closed) return;
      this.#isOpen = !isOpen;
      logger.error({ roomId, producerId: this.producerId, err: error }, 'a voice could not be let in or held back');
    }
  }

  close(): void {
    // With a microphone that is closed, mediasoup closes what it is sent by.
    if (!this.source.closed) this.#consumer.close();
    this.producer.close();
  }
}
