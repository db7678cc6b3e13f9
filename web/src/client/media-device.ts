import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { types } from 'mediasoup-client';
import { iceServersOf } from './ice-servers.ts';
import type { RoomOptions } from './types.ts';

/**
 * mediasoup-client's device, made once for what the server's routers can do. The library is loaded when a room is
 * joined and not before: it is a third of all that a listener loads (WB-7).
 */
export class MediaDevice {
  readonly #handlerName: RoomOptions['handlerName'];
  #loaded: { readonly key: string; readonly device: Promise<types.Device> } | undefined;

  constructor(handlerName: RoomOptions['handlerName']) {
    this.#handlerName = handlerName;
    // Begins the download while the seat is being taken; a failure shows when the device is needed.
    void library().catch(() => undefined);
  }

  /** The device for these capabilities. @throws Error where the browser has no WebRTC that mediasoup-client knows */
  for(rtpCapabilities: Record<string, unknown>): Promise<types.Device> {
    const key = JSON.stringify(rtpCapabilities);
    if (this.#loaded?.key === key) return this.#loaded.device;
    const device = this.#load(rtpCapabilities);
    this.#loaded = { key, device };
    device.catch(() => {
      this.#loaded = undefined;
    });
    return device;
  }

  async #load(rtpCapabilities: Record<string, unknown>): Promise<types.Device> {
    const { Device } = await library();
    const device = await Device.factory(this.#handlerName === undefined ? {} : { handlerName: this.#handlerName });
    await device.load({ routerRtpCapabilities: rtpCapabilities as types.RtpCapabilities });
    return device;
  }
}

const library = (): Promise<typeof import('mediasoup-client')> => import('mediasoup-client');

/** What mediasoup-client makes a transport from. The protocol hands through what mediasoup said, so its types apply. */
export const transportOptions = (offer: TransportOffer): types.TransportOptions => ({
  id: offer.transportId,
  iceParameters: offer.iceParameters as types.IceParameters,
  iceCandidates: offer.iceCandidates as types.IceCandidate[],
  dtlsParameters: offer.dtlsParameters as types.DtlsParameters,
  iceServers: iceServersOf(offer.iceServers),
});
