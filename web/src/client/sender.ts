import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import type { types } from 'mediasoup-client';
import { transportOptions } from './media-device.ts';
import { closeLink, connected, type Link, type MediaLinkOptions, stateOf, statsOf, supervise } from './media-link.ts';

type Sending = Link & { producer: types.Producer | undefined };

/** How Opus is encoded in a room of this quality (MD-5). */
export const codecOptionsFor = (quality: RoomSettings['audioQuality']): types.ProducerCodecOptions => {
  const { maxBitrate, maxPlaybackRate, stereo, dtx, fec } = audioSettings[quality];
  return {
    opusMaxAverageBitrate: maxBitrate,
    opusMaxPlaybackRate: maxPlaybackRate,
    opusStereo: stereo,
    opusDtx: dtx,
    opusFec: fec,
  };
};

/** The sending transport with one's own microphone. It never stops a track: the device is the microphone's to close. */
export class Sender {
  readonly #options: MediaLinkOptions;
  #link: Sending | undefined;
  /** What sent before, at a node that is being left. */
  #outlived: Sending | undefined;
  #paused = false;

  constructor(options: MediaLinkOptions) {
    this.#options = options;
  }

  get transport(): types.Transport | undefined {
    return this.#link?.transport;
  }

  /** How the way of what is sent stands: that of the transport before counts as long as it sends on. */
  get state(): types.ConnectionState | undefined {
    return stateOf(this.#link, this.#outlived);
  }

  /** The producer that sends the microphone now. */
  get producerId(): string | undefined {
    return this.#link?.producer?.id;
  }

  get sending(): boolean {
    return this.#link?.producer !== undefined && !this.#link.producer.closed;
  }

  /** Sends this track on a new transport; paused, it is silent from the start. @throws RostrumError, Error */
  async publish(track: MediaStreamTrack, paused: boolean): Promise<void> {
    const { connection, roomId, device } = this.#options;
    this.#link = closed(this.#link);
    this.#paused = paused;
    const offer = await connection.request('media:publish', { roomId });
    const link = this.#open(await device.for(offer.rtpCapabilities), offer.transport);
    this.#link = link;
    track.enabled = !this.#paused;
    try {
      link.producer = await link.transport.produce({
        track,
        codecOptions: { ...codecOptionsFor(offer.audioQuality), opusPtime: offer.packetMs },
        stopTracks: false,
        disableTrackOnPause: true,
        zeroRtpOnPause: true,
      });
    } catch (error) {
      closeLink(link);
      if (this.#link === link) this.#link = undefined;
      throw error;
    }
    this.setPaused(this.#paused);
    const outlived = this.#outlived;
    if (outlived !== undefined) void connected(link.transport).then(() => this.#end(outlived));
  }

  /** The server does not know the transport any more, such as another node: it sends on until the next one stands. */
  outlive(): void {
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    // One that never stood is replaced itself: what sent before it still does.
    if (this.#outlived !== undefined && link.transport.connectionState !== 'connected') {
      closeLink(link);
      return;
    }
    closed(this.#outlived);
    link.recovery.close();
    this.#outlived = link;
  }

  /** Another device, without a negotiation. @throws Error */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    await this.#link?.producer?.replaceTrack({ track });
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    for (const producer of [this.#link?.producer, this.#outlived?.producer]) {
      if (producer === undefined || producer.closed) continue;
      if (paused) producer.pause();
      else if (producer.paused) producer.resume();
    }
  }

  /** Once the connection is back and the server still has the transport. */
  check(moved: boolean): void {
    this.#link?.recovery.check(moved);
  }

  stats(): Promise<RTCStatsReport | undefined> {
    return statsOf(this.#link?.transport);
  }

  close(): void {
    this.#link = closed(this.#link);
    this.#outlived = closed(this.#outlived);
  }

  #end(outlived: Sending): void {
    closeLink(outlived);
    if (this.#outlived === outlived) this.#outlived = undefined;
  }

  #open(device: types.Device, offer: TransportOffer): Sending {
    const { connection, roomId } = this.#options;
    const transport = device.createSendTransport(transportOptions(offer));
    const recovery = supervise(transport, {
      ...this.#options,
      broken: () => {
        if (this.#link?.transport === transport) this.#options.broken();
      },
    });
    transport.on('produce', ({ rtpParameters }, done, failed) => {
      // The server checks every field of it (SE-6); mediasoup-client's type is only wider.
      const opus = rtpParameters as MicrophoneRtpParameters;
      connection
        .request('media:produce', { roomId, transportId: transport.id, rtpParameters: opus })
        .then(({ producerId }) => done({ id: producerId }), failed);
    });
    return { transport, recovery, producer: undefined };
  }
}

const closed = (link: Sending | undefined): undefined => {
  if (link !== undefined) closeLink(link);
};
