import type { CommandOutput } from '@rostrum/shared/protocol/index.ts';
import type { ConsumerOffer } from '@rostrum/shared/protocol/media.ts';
import type { types } from 'mediasoup-client';
import { transportOptions } from './media-device.ts';
import { closeLink, type Link, type MediaLinkOptions, statsOf, supervise } from './media-link.ts';

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

/** A new transport has this long to connect before the one before it is closed anyway. */
const swapMs = 3000;

/**
 * The receiving transport with everybody's voice. Its methods are to be called one after the other (`RoomMedia` does),
 * for a batch of voices may arrive while the transport is still being made.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  #link: Receiving | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get transport(): types.Transport | undefined {
    return this.#link?.transport;
  }

  get consumerIds(): string[] {
    return [...(this.#link?.consumed.keys() ?? [])];
  }

  /** Opens a receiving transport with every voice; the one before plays until the new one is heard. @throws RostrumError, Error */
  async listen(): Promise<void> {
    const { connection, roomId, device } = this.#options;
    const offer = await connection.request('media:listen', { roomId });
    const link = this.#open(await device.for(offer.rtpCapabilities), offer);
    try {
      await consumeAll(link, offer.consumers);
    } catch (error) {
      closeLink(link);
      throw error;
    }
    const before = this.#link;
    if (before !== undefined && link.consumed.size > 0) await connected(link.transport);
    this.#link = link;
    const heard = new Set([...link.consumed.values()].map(({ userId }) => userId));
    for (const consumed of link.consumed.values()) this.#options.voiceAdded(voiceOf(consumed));
    for (const { userId } of before?.consumed.values() ?? [])
      if (!heard.has(userId)) this.#options.voiceRemoved(userId);
    if (before !== undefined) closeLink(before);
  }

  /** Adds voices in one negotiation; those of another transport, or had already, are left out. @throws Error */
  async add(transportId: string, offers: readonly ConsumerOffer[]): Promise<void> {
    const link = this.#link;
    if (link === undefined || link.transport.id !== transportId) return;
    const fresh = offers.filter((offer) => !link.consumed.has(offer.consumerId));
    await consumeAll(link, fresh);
    for (const { consumerId, userId } of fresh) {
      const consumed = link.consumed.get(consumerId);
      if (consumed === undefined) continue;
      this.#options.voiceAdded(voiceOf(consumed));
      // A person has one voice: the one that this replaces ended, and its removal may come later or not at all.
      this.#drop(link, (other) => other.userId === userId && other !== consumed);
    }
  }

  remove(consumerIds: readonly string[]): void {
    const link = this.#link;
    if (link === undefined) return;
    const gone = this.#drop(link, ({ consumer }) => consumerIds.includes(consumer.id));
    const heard = new Set([...link.consumed.values()].map(({ userId }) => userId));
    for (const { userId } of gone) if (!heard.has(userId)) this.#options.voiceRemoved(userId);
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

  stats(): Promise<RTCStatsReport | undefined> {
    return statsOf(this.#link?.transport);
  }

  close(): void {
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    for (const { userId } of link.consumed.values()) this.#options.voiceRemoved(userId);
    closeLink(link);
  }

  #drop(link: Receiving, which: (consumed: Consumed) => boolean): Consumed[] {
    const dropped = [...link.consumed.values()].filter(which);
    for (const { consumer } of dropped) {
      link.consumed.delete(consumer.id);
      consumer.close();
    }
    return dropped;
  }

  #open(device: types.Device, offer: CommandOutput<'media:listen'>): Receiving {
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

const voiceOf = ({ consumer, userId }: Consumed): Voice => ({
  userId,
  track: consumer.track,
  receiver: consumer.rtpReceiver,
});

/** Resolves when the transport is connected, or has no more time for it. */
const connected = (transport: types.Transport): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      transport.off('connectionstatechange', look);
      resolve();
    };
    const look = (): void => {
      if (transport.connectionState !== 'new' && transport.connectionState !== 'connecting') finish();
    };
    const timer = setTimeout(finish, swapMs);
    transport.on('connectionstatechange', look);
    look();
  });
