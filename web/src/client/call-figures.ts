import { entriesOf } from './quality.ts';

/** What the statistics of a call have counted so far; figures are worked out from the difference of two. */
export type Counted = {
  /** Bytes of audio and video, by stream and direction. */
  readonly bytes: ReadonlyMap<string, number>;
  /** Energy and duration of what one's own microphone gave (W3C webrtc-stats, RTCAudioSourceStats); where it is told. */
  readonly spoken: { readonly energy: number; readonly seconds: number } | undefined;
  /** What the browser thinks that the path carries, in bits a second; null where it does not say. */
  readonly available: number | null;
  readonly atMs: number;
};

type Entry = RTCStats & {
  readonly kind?: string;
  readonly bytesSent?: number;
  readonly bytesReceived?: number;
  readonly totalAudioEnergy?: number;
  readonly totalSamplesDuration?: number;
  readonly availableOutgoingBitrate?: number;
};

export const countedIn = (reports: readonly RTCStatsReport[], atMs: number): Counted => {
  const entries = entriesOf<Entry>(reports);
  const streams = entries.filter(({ type }) => type === 'inbound-rtp' || type === 'outbound-rtp');
  const source = entries.find(({ type, kind }) => type === 'media-source' && kind === 'audio');
  const energy = source?.totalAudioEnergy;
  const available = entries.flatMap(({ availableOutgoingBitrate: bitrate }) =>
    bitrate === undefined ? [] : [bitrate],
  );
  return {
    bytes: new Map(streams.map(({ id, bytesSent = 0, bytesReceived = 0 }) => [id, bytesSent + bytesReceived])),
    spoken: energy === undefined ? undefined : { energy, seconds: source?.totalSamplesDuration ?? 0 },
    available: available.length === 0 ? null : Math.max(...available),
    atMs,
  };
};

/** Bits a second in both directions together, between two counts. */
export const bitrateBetween = (before: Counted | undefined, now: Counted): number => {
  if (before === undefined || now.atMs <= before.atMs) return 0;
  let bytes = 0;
  // A stream that began anew counts from nothing.
  for (const [id, total] of now.bytes) bytes += Math.max(0, total - Math.min(total, before.bytes.get(id) ?? 0));
  return Math.round((8000 * bytes) / (now.atMs - before.atMs));
};

/** How loud one's own microphone was between two counts, as an amplitude from 0 to 1; undefined where it is not told. */
export const amplitudeBetween = (before: Counted | undefined, now: Counted): number | undefined => {
  if (before?.spoken === undefined || now.spoken === undefined) return undefined;
  const seconds = now.spoken.seconds - before.spoken.seconds;
  const energy = now.spoken.energy - before.spoken.energy;
  return seconds <= 0 || energy < 0 ? undefined : Math.sqrt(energy / seconds);
};
