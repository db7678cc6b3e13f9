import { audioHeaderExtensions, type MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { audioSettings, type PacketTime, packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import type { types } from 'mediasoup';

type AudioQuality = RoomSettings['audioQuality'];

/**
 * The one codec of a room (MD-5). RFC 7587 section 4.1: always announced as 48 kHz and two channels, whatever is sent.
 * The payload type is fixed so that every router has the same capabilities.
 */
export const opusCodec: types.RouterRtpCodecCapability = {
  kind: 'audio',
  mimeType: 'audio/opus',
  preferredPayloadType: 111,
  clockRate: 48_000,
  channels: 2,
};

const listenerExtensions: readonly string[] = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
];

/**
 * What every listener is taken to be capable of: the router's Opus, with the header extensions that a listener has a
 * use for. No transport-wide feedback: mediasoup estimates bandwidth for video alone, so a listener's reports would
 * only cost the worker time, for each of thousands of listeners.
 */
export const listenerCapabilities = (router: types.RtpCapabilities): types.RtpCapabilities => ({
  codecs: (router.codecs ?? []).map((codec) => ({ ...codec, rtcpFeedback: [] })),
  headerExtensions: (router.headerExtensions ?? []).filter(
    ({ kind, uri }) => kind === 'audio' && listenerExtensions.includes(uri),
  ),
});

/**
 * A microphone's RTP parameters for mediasoup, made from what the client said. Only what mediasoup needs to receive the
 * stream is taken over (SE-6); names that the client chose (`cname`, `msid`) would reach every listener, so mediasoup
 * makes its own.
 */
export const microphoneParameters = (client: MicrophoneRtpParameters, quality: AudioQuality): types.RtpParameters => ({
  ...(client.mid === undefined ? {} : { mid: client.mid }),
  codecs: client.codecs.map((codec) => ({
    mimeType: 'audio/opus',
    payloadType: codec.payloadType,
    clockRate: 48_000,
    channels: 2,
    parameters: formatParameters(codec.parameters ?? {}, quality),
    rtcpFeedback: (codec.rtcpFeedback ?? [])
      .filter(({ type, parameter }) => (type === 'nack' || type === 'transport-cc') && !parameter)
      .map(({ type }) => ({ type })),
  })),
  headerExtensions: (client.headerExtensions ?? []).map(({ uri, id }) => ({ uri, id })),
  encodings: client.encodings.map(({ ssrc, dtx }) => ({ ssrc, ...(dtx === undefined ? {} : { dtx }) })),
  rtcp: { reducedSize: true },
});

/**
 * The format parameters (RFC 7587 section 6.1) that say something to others: mediasoup reads DTX and FEC, a listener's
 * browser reads whether to play in stereo, and this server, here and at the other end of a pipe, how long a packet is.
 * mediasoup knows them as integers only.
 */
const formatParameters = (client: Readonly<Record<string, unknown>>, quality: AudioQuality): Record<string, number> => {
  const says = (name: string) => Number(client[name]) === 1;
  return {
    ...(says('useinbandfec') ? { useinbandfec: 1 } : {}),
    ...(says('usedtx') ? { usedtx: 1 } : {}),
    ...(says('sprop-stereo') && audioSettings[quality].stereo ? { 'sprop-stereo': 1 } : {}),
    ...(Number(client['ptime']) === packetTimes.large ? { ptime: packetTimes.large } : {}),
  };
};

/**
 * Milliseconds of sound in a packet of a microphone, from its producer's parameters. What its client said when it opened it,
 * and so what is to be expected of it and nothing to rely on; a `ptime` other than those that this server asks for is no
 * reason to count differently.
 */
export const packetMsOf = ({ codecs }: Pick<types.RtpParameters, 'codecs'>): PacketTime =>
  codecs[0]?.parameters?.['ptime'] === packetTimes.large ? packetTimes.large : packetTimes.usual;

/**
 * How a microphone comes over a pipe, in the words of a client that sends one: what `microphoneParameters` takes at the
 * other end. mediasoup's parameters of a pipe's consumer name things besides that audio has no use for.
 */
export const pipedParameters = (ofConsumer: types.RtpParameters): MicrophoneRtpParameters => ({
  codecs: ofConsumer.codecs.map(({ payloadType, parameters }) => ({
    mimeType: 'audio/opus',
    payloadType,
    clockRate: 48_000,
    channels: 2,
    parameters: formatParameters(parameters ?? {}, 'music'),
  })),
  headerExtensions: audioHeaderExtensions.flatMap((uri) =>
    (ofConsumer.headerExtensions ?? []).filter((extension) => extension.uri === uri).map(({ id }) => ({ uri, id })),
  ),
  encodings: (ofConsumer.encodings ?? []).flatMap(({ ssrc, dtx }) =>
    ssrc === undefined ? [] : [{ ssrc, ...(dtx === undefined ? {} : { dtx }) }],
  ),
});

/** RTP headers with their extensions: about 40 bytes at 50 packets a second. */
const headerBitrate = 16_000;

/**
 * Bits a second, RTP headers included, that a microphone may send in a room of this quality before the server takes it
 * as excess: twice what the quality asks for, since an encoder's bitrate is an average and packets are sent again.
 */
export const toleratedBitrate = (quality: AudioQuality): number =>
  2 * (audioSettings[quality].maxBitrate + headerBitrate);
