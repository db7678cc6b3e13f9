import { setTimeout as pause } from 'node:timers/promises';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import { Device, type types } from 'mediasoup-client';
import { wrtc } from '../../test/support/wrtc.ts';
import type { StageSeat } from './gate-side.ts';
import { sampleRate } from './speech.ts';

/** libwebrtc takes sound in pieces of 10 ms. */
const pieceMs = 10;
const piece = (sampleRate * pieceMs) / 1000;
/** A stall of this process longer than this is a gap in what is said. */
const longestCatchUpMs = 200;

/** A microphone of libwebrtc that hears what it is given: its own Opus encoder, levels, DTX and packets. */
export class SpeechMicrophone {
  readonly #source = new wrtc.nonstandard.RTCAudioSource();
  readonly #transport: types.Transport;

  /** Opens it at this seat, with the packets that the seat is asked for. Resolves when it is connected and sends silence. */
  static async open(seat: StageSeat): Promise<SpeechMicrophone> {
    const { rtpCapabilities, transport: offer, packetMs } = await seat.publish();
    const device = await Device.factory({ handlerName: 'Chrome111' });
    await device.load({ routerRtpCapabilities: rtpCapabilities });
    const transport = device.createSendTransport({
      id: offer.transportId,
      iceParameters: offer.iceParameters as types.IceParameters,
      iceCandidates: offer.iceCandidates as types.IceCandidate[],
      dtlsParameters: offer.dtlsParameters as types.DtlsParameters,
    });
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      seat.connectTransport(transport.id, dtlsParameters).then(done, failed);
    });
    transport.on('produce', ({ rtpParameters }, done, failed) => {
      // The server checks every field of it; mediasoup-client's type is only wider.
      seat.produce(transport.id, rtpParameters as MicrophoneRtpParameters).then(() => done({ id: 'its own' }), failed);
    });
    const microphone = new SpeechMicrophone(transport);
    await microphone.#send(packetMs);
    return microphone;
  }

  private constructor(transport: types.Transport) {
    this.#transport = transport;
  }

  async #send(packetMs: number): Promise<void> {
    const { maxBitrate, maxPlaybackRate, dtx, fec, stereo } = audioSettings.medium;
    await this.#transport.produce({
      track: this.#source.createTrack(),
      codecOptions: {
        opusPtime: packetMs,
        opusDtx: dtx,
        opusFec: fec,
        opusStereo: stereo,
        opusMaxPlaybackRate: maxPlaybackRate,
        opusMaxAverageBitrate: maxBitrate,
      },
    });
  }

  /** The next 10 ms of sound. */
  hear(samples: Int16Array): void {
    this.#source.onData({ samples, sampleRate, bitsPerSample: 16, channelCount: 1, numberOfFrames: samples.length });
  }

  close(): void {
    this.#transport.close();
  }
}

/**
 * Lets microphones hear their sounds, all from the same moment on and in real time. Resolves when the sounds are over, with the
 * moment at which they began by `performance.now()`.
 */
export const play = async (
  microphones: readonly SpeechMicrophone[],
  sounds: readonly Int16Array[],
  durationMs: number,
): Promise<number> => {
  let begun = performance.now();
  for (let ms = 0; ms < durationMs; ms += pieceMs) {
    const ahead = begun + ms - performance.now();
    if (ahead > 0) await pause(ahead);
    else if (ahead < -longestCatchUpMs) begun -= ahead;
    const at = (ms / pieceMs) * piece;
    microphones.forEach((microphone, index) => {
      const sound = sounds[index]?.slice(at, at + piece);
      if (sound?.length === piece) microphone.hear(sound);
    });
  }
  return begun;
};
