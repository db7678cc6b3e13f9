import type { CommandOutput } from '@rostrum/shared/protocol/index.ts';
import type { ConsumerOffer, ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import type { types } from 'mediasoup-client';
import { transportOptions } from './media-device.ts';
import { closeLink, connected, type Link, type MediaLinkOptions, stateOf, statsOf, supervise } from './media-link.ts';
import { Timers } from './timers.ts';

export type Voice = {
  readonly userId: string;
  readonly track: MediaStreamTrack;
  readonly receiver: RTCRtpReceiver | undefined;
};

export type ReceiverOptions = MediaLinkOptions & {
  readonly voiceAdded: (voice: Voice) => void;
  readonly voiceRemoved: (userId: string) => void;
};

type Consumed = { readonly consumer: types.Consumer; readonly userId: string };
type Receiving = Link & { readonly consumed: Map<string, Consumed> };

/** From the connection of a transport to the sound: the first packets, and the jitter buffer that fills. */
const startMs = 200;
/**
 * What was heard before goes on so long for voices that the next transport does not bring: at a node that had nobody of the room
 * they come a moment later, by a pipe. The node that is left plays on for longer (`movedMediaMs`).
 */
const outlivedMs = 5000;

/**
 * The receiving transport with everybody's voice. Its methods are to be called one after the other (`Hearing` does),
 * for a batch of voices may arrive while the transport is still being made. Only `close` may come at any time.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #timers = new Timers();
  #link: Receiving | undefined;
  /** The transport before, with the voices that are still heard by it. */
  #outlived: Receiving | undefined;
  #cancelOutlived: () => void = () => undefined;
  #closed = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get transport(): types.Transport | undefined {
    return this.#link?.transport;
  }

  /** How the way of what is heard stands: that of the transport before counts as long as it is heard by that. */
  get state(): types.ConnectionState | undefined {
    return stateOf(this.#link, this.#outlived);
  }

  get consumerIds(): string[] {
    return [...(this.#link?.consumed.keys() ?? [])];
  }

  /**
   * Opens a receiving transport with every voice, or the one that the server has opened already; each voice is heard by the one before
   * until this one plays it. @throws RostrumError, Error
   */
  async listen(opened?: ListeningOffer | null): Promise<void> {
    const { connection, roomId, device } = this.#options;
    const offer = opened ?? (await connection.request('media:listen', { roomId }));
    const link = this.#open(await device.for(offer.rtpCapabilities), offer);
    try {
      await consumeAll(link, offer.consumers);
    } catch (error) {
      closeLink(link);
      throw error;
    }
    if (this.#closed) {
      closeLink(link);
      return;
    }
    this.#outlive();
    this.#link = link;
    await this.#play(link, [...link.consumed.values()]);
  }

  /** Adds voices in one negotiation; those of another transport, or had already, are left out. @throws Error */
  async add(transportId: string, offers: readonly ConsumerOffer[]): Promise<void> {
    const link = this.#link;
    if (link === undefined || link.transport.id !== transportId) return;
    const fresh = offers.filter((offer) => !link.consumed.has(offer.consumerId));
    await consumeAll(link, fresh);
    await this.#play(
      link,
      fresh.flatMap(({ consumerId }) => link.consumed.get(consumerId) ?? []),
    );
  }

  remove(consumerIds: readonly string[]): void {
    const gone = [this.#link, this.#outlived].flatMap((link) =>
      link === undefined ? [] : this.#drop(link, ({ consumer }) => consumerIds.includes(consumer.id)),
    );
    this.#silence(gone);
    this.#settle();
  }

  /** Goes on after the connection came back, with what the server says is still there. `moved`: on another network. */
  async resume(answer: CommandOutput<'media:sync'>, moved: boolean): Promise<void> {
    const link = this.#link;
    if (link === undefined || !answer.transportIds.includes(link.transport.id)) {
      await this.listen();
      return;
    }
    this.remove(answer.removed);
    await this.add(link.transport.id, answer.added);
    link.recovery.check(moved);
  }

  /** The server has this transport no more, and nothing comes by it: the next one plays as soon as it is there. */
  lost(): void {
    if (this.#link !== undefined) closeLink(this.#link);
  }

  stats(): Promise<RTCStatsReport | undefined> {
    return statsOf(this.#link?.transport);
  }

  close(): void {
    this.#closed = true;
    this.#timers.close();
    const links = [this.#link, this.#outlived].filter((link) => link !== undefined);
    this.#link = undefined;
    this.#outlived = undefined;
    this.#silence(links.flatMap(({ consumed }) => [...consumed.values()]));
    for (const link of links) closeLink(link);
  }

  /** Plays these voices: at once, or where the transport before still plays, when they can be heard. */
  async #play(link: Receiving, arrived: readonly Consumed[]): Promise<void> {
    if (arrived.length === 0) return;
    if (this.#outlived?.transport.closed === false) {
      await connected(link.transport);
      await this.#timers.wait(startMs);
    }
    for (const consumed of arrived) {
      const { consumer, userId } = consumed;
      if (this.#link !== link || !link.consumed.has(consumer.id)) continue;
      this.#options.voiceAdded(voiceOf(consumed));
      // A person has one voice: the one that this replaces ended, and its removal may come later or not at all.
      this.#drop(link, (other) => other.userId === userId && other !== consumed);
      if (this.#outlived !== undefined) forget(this.#outlived, userId);
    }
    this.#settle();
  }

  /** Another transport takes the place of this one, which plays on for what that one does not bring yet. */
  #outlive(): void {
    const before = this.#link;
    if (before === undefined) return;
    // It brought nothing before it was replaced itself: what was heard before it is still heard.
    if (before.consumed.size === 0) {
      closeLink(before);
      return;
    }
    this.#endOutlived();
    before.recovery.close();
    this.#outlived = before;
    this.#cancelOutlived = this.#timers.after(outlivedMs, () => this.#endOutlived());
  }

  #endOutlived(): void {
    const outlived = this.#outlived;
    if (outlived === undefined) return;
    this.#outlived = undefined;
    this.#cancelOutlived();
    this.#silence([...outlived.consumed.values()]);
    closeLink(outlived);
    this.#options.pathChanged();
  }

  /** Nothing is heard by the transport before any more: it goes. */
  #settle(): void {
    if (this.#outlived?.consumed.size === 0) this.#endOutlived();
  }

  /** Tells of those of these voices that are not heard another way. */
  #silence(gone: readonly Consumed[]): void {
    const links = [this.#link, this.#outlived].filter((link) => link !== undefined);
    const heard = new Set(links.flatMap(({ consumed }) => [...consumed.values()].map(({ userId }) => userId)));
    for (const userId of new Set(gone.map((consumed) => consumed.userId)))
      if (!heard.has(userId)) this.#options.voiceRemoved(userId);
  }

  #drop(link: Receiving, which: (consumed: Consumed) => boolean): Consumed[] {
    const dropped = [...link.consumed.values()].filter(which);
    for (const { consumer } of dropped) {
      link.consumed.delete(consumer.id);
      consumer.close();
    }
    return dropped;
  }

  #open(device: types.Device, offer: ListeningOffer): Receiving {
    const transport = device.createRecvTransport(transportOptions(offer.transport));
    const recovery = supervise(transport, {
      ...this.#options,
      broken: () => {
        if (this.#link?.transport === transport) this.#options.broken();
      },
    });
    return { transport, recovery, consumed: new Map() };
  }
}

/**
 * Consumes all of these in one negotiation: mediasoup-client takes together what is asked for in the same turn. A voice
 * that this browser cannot decode is left out; anything else is a fault of the transport, and thrown.
 */
const consumeAll = async ({ transport, consumed }: Receiving, offers: readonly ConsumerOffer[]): Promise<void> => {
  const consuming = offers.map(async ({ consumerId, producerId, userId, rtpParameters }) => {
    const consumer = await transport.consume({
      id: consumerId,
      producerId,
      kind: 'audio',
      rtpParameters: rtpParameters as types.RtpParameters,
    });
    consumed.set(consumerId, { consumer, userId });
  });
  for (const result of await Promise.allSettled(consuming)) {
    if (result.status === 'rejected' && !isUnsupported(result.reason)) throw result.reason;
  }
};

/** mediasoup-client's error for what a browser cannot do; known by name, so that its class is not loaded for it. */
export const isUnsupported = (error: unknown): boolean => error instanceof Error && error.name === 'UnsupportedError';

/** The voice of this person is heard by another transport now. It is let go of with this one. */
const forget = ({ consumed }: Receiving, userId: string): void => {
  for (const [consumerId, voice] of consumed) if (voice.userId === userId) consumed.delete(consumerId);
};

const voiceOf = ({ consumer, userId }: Consumed): Voice => ({
  userId,
  track: consumer.track,
  receiver: consumer.rtpReceiver,
});
