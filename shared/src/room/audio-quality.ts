import type { RoomSettings } from '../protocol/room.ts';

type AudioQuality = RoomSettings['audioQuality'];

/** How a microphone is encoded in a room of one audio quality. */
export type AudioSettings = {
  /** Opus bits a second at most, as `maxaveragebitrate` means it (RFC 7587 section 6.1): without RTP headers. */
  readonly maxBitrate: number;
  /** Samples a second that are worth sending: `maxplaybackrate` (RFC 7587 section 6.1), in Hz. */
  readonly maxPlaybackRate: number;
  readonly stereo: boolean;
  /** Discontinuous transmission: a silent speaker sends nearly nothing. */
  readonly dtx: boolean;
  /** In-band forward error correction: a lost packet is rebuilt from the next one. */
  readonly fec: boolean;
  /** Whether echo cancellation, noise suppression and gain control are on unless the person says otherwise. */
  readonly voiceProcessing: boolean;
};

const voice = { stereo: false, dtx: true, fec: true, voiceProcessing: true } as const;

/** MD-5, one row a quality: the client encodes by it, the server holds a microphone to it. */
export const audioSettings: Readonly<Record<AudioQuality, AudioSettings>> = {
  low: { ...voice, maxBitrate: 20_000, maxPlaybackRate: 16_000 },
  medium: { ...voice, maxBitrate: 32_000, maxPlaybackRate: 24_000 },
  high: { ...voice, maxBitrate: 64_000, maxPlaybackRate: 48_000 },
  music: { maxBitrate: 128_000, maxPlaybackRate: 48_000, stereo: true, dtx: false, fec: false, voiceProcessing: false },
};

/** Milliseconds of sound in one packet of a voice: in most rooms, and in one that is large when the microphone opens (MD-2). */
export const packetTimes = { usual: 20, large: 60 } as const;
export type PacketTime = (typeof packetTimes)[keyof typeof packetTimes];
