import { mediaCommands } from '@rostrum/shared/protocol/media.ts';
import { audioQualities } from '@rostrum/shared/protocol/room.ts';
import { audioSettings } from '@rostrum/shared/room/audio-quality.ts';
import { describe, expect, test } from 'vitest';
import { microphoneParameters, packetMsOf, pipedParameters, toleratedBitrate } from '../../src/media/opus.ts';
import { newId } from '../../src/runtime/ids.ts';
import { microphone } from './harness.ts';

describe('audio quality', () => {
  test('MD-5 has the numbers of the rule', () => {
    const brief = audioQualities.map((quality) => {
      const { maxBitrate, maxPlaybackRate, stereo, dtx, fec, voiceProcessing } = audioSettings[quality];
      return [quality, maxBitrate, maxPlaybackRate, stereo, dtx, fec, voiceProcessing];
    });
    expect(brief).toEqual([
      ['low', 20_000, 16_000, false, true, true, true],
      ['medium', 32_000, 24_000, false, true, true, true],
      ['high', 64_000, 48_000, false, true, true, true],
      ['music', 128_000, 48_000, true, false, false, false],
    ]);
  });

  test('MD-5 tolerates what an encoder at the quality sends with its headers, and not much more', () => {
    for (const quality of audioQualities) {
      const { maxBitrate } = audioSettings[quality];
      // 50 packets a second, 12 bytes of RTP header and up to 28 of extensions.
      expect(toleratedBitrate(quality)).toBeGreaterThan(1.5 * (maxBitrate + 50 * 40 * 8));
      expect(toleratedBitrate(quality)).toBeLessThan(4 * maxBitrate);
    }
  });
});

describe('what is taken from a client', () => {
  test('SE-6 only what mediasoup needs to receive the stream', () => {
    expect(microphoneParameters(microphone(7), 'medium')).toEqual({
      mid: '0',
      codecs: [
        {
          mimeType: 'audio/opus',
          payloadType: 111,
          clockRate: 48_000,
          channels: 2,
          parameters: { useinbandfec: 1, usedtx: 1 },
          rtcpFeedback: [{ type: 'transport-cc' }],
        },
      ],
      headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }],
      encodings: [{ ssrc: 7, dtx: true }],
      rtcp: { reducedSize: true },
    });
  });

  test('SE-6 names that a client chose reach nobody', () => {
    const named = { ...microphone(7), msid: 'a name', rtcp: { cname: 'another' } };
    expect(JSON.stringify(microphoneParameters(named, 'music'))).not.toMatch(/name|another/);
  });

  test('MD-5 stereo is announced in music rooms alone', () => {
    const stereo = microphone(7);
    const codecs = stereo.codecs.map((codec) => ({ ...codec, parameters: { 'sprop-stereo': '1' } }));
    const announced = audioQualities.filter(
      (quality) => microphoneParameters({ ...stereo, codecs }, quality).codecs[0]?.parameters?.['sprop-stereo'] === 1,
    );
    expect(announced).toEqual(['music']);
  });
});

describe('how much sound is in a packet', () => {
  const withPtime = (ptime: string | number | undefined) => {
    const said = microphone(7);
    const parameters = { useinbandfec: 1, ...(ptime === undefined ? {} : { ptime }) };
    return { ...said, codecs: said.codecs.map((codec) => ({ ...codec, parameters })) };
  };

  test('MD-2 is 60 ms where the client says so, and else counts as 20', () => {
    const packetMs = [60, '60', 20, '20', undefined, 0, -60, 10, 40, 120, '60.5', 'sixty', ''].map((ptime) =>
      packetMsOf(microphoneParameters(withPtime(ptime), 'medium')),
    );
    expect(packetMs).toEqual([60, 60, ...packetMs.slice(2).map(() => 20)]);
    expect(packetMsOf({ codecs: [] })).toBe(20);
  });

  test('MD-2 is known at the other end of a pipe too', () => {
    for (const ptime of [20, 60] as const) {
      const here = microphoneParameters(withPtime(ptime), 'medium');
      // What goes between two nodes is JSON, and is checked like what a client says.
      const piped: unknown = JSON.parse(JSON.stringify(pipedParameters(here)));
      const sent = mediaCommands['media:produce'].input.parse({
        roomId: newId(),
        transportId: 'pipe',
        rtpParameters: piped,
      });
      expect(packetMsOf(microphoneParameters(sent.rtpParameters, 'music'))).toBe(ptime);
    }
  });
});
