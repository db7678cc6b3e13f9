import { wrtc } from '../../test/support/wrtc.ts';
import { WrtcPeer } from '../../test/support/wrtc-peer.ts';
import type { GateSide } from './gate-side.ts';
import { play, SpeechMicrophone } from './gate-speakers.ts';
import { sampleRate } from './speech.ts';

/**
 * A beep of so long, every so often, in milliseconds: between two of them nothing is sent (DTX), as between two sentences. No multiple
 * of a packet, so that it begins now early and now late in one.
 */
const beepMs = 300;
const everyMs = 1510;
/** Half of what a beep is loud: 16 bits. */
const loud = 0x1000;

/** Beeps, as often as asked for. */
const beeps = (count: number): Int16Array => {
  const at = (ms: number): number => (ms * sampleRate) / 1000;
  return Int16Array.from({ length: at(everyMs * (count + 1)) }, (_, index) =>
    index >= at(everyMs) && index % at(everyMs) < at(beepMs)
      ? Math.round(2 * loud * Math.sin((2 * Math.PI * 440 * index) / sampleRate))
      : 0,
  );
};

/**
 * Milliseconds from when a sound comes to a microphone until a listener's loudspeaker is given it, for so many sounds: through
 * libwebrtc's encoder, the server, and libwebrtc's jitter buffer and decoder. Both ends are in this process and go by its clock.
 */
export const mouthToEar = async (side: GateSide, packetMs: number, count: number): Promise<number[]> => {
  await side.begin(packetMs);
  const microphone = await SpeechMicrophone.open(side.seat());
  const heardAt: number[] = [];
  const seat = side.listener();
  const peer = new WrtcPeer(
    {
      connect: (transportId, { role, fingerprints }) =>
        seat.connectTransport(transportId, { fingerprints, ...(role === undefined ? {} : { role }) }),
      produce: () => Promise.reject(new Error('a listener')),
    },
    {
      ear: (_userId, track) => {
        const sink = new wrtc.nonstandard.RTCAudioSink(track);
        let quietSince = 0;
        sink.ondata = ({ samples }: { samples: Int16Array }) => {
          const now = performance.now();
          if (!samples.some((sample) => Math.abs(sample) > loud)) return;
          // The beginning of a beep, not what is within it.
          if (now - quietSince > beepMs) heardAt.push(now);
          quietSince = now;
        };
        return { hertz: () => undefined, stop: () => sink.stop() };
      },
    },
  );
  try {
    await peer.listen(await seat.listen());
    const sound = beeps(count);
    const begun = await play([microphone], [sound], everyMs * (count + 1));
    return heardAt.flatMap((at) => {
      const sinceBeep = (at - begun) % everyMs;
      return at - begun >= everyMs ? [sinceBeep] : [];
    });
  } finally {
    peer.close();
    microphone.close();
  }
};
