/** Of Opus, whatever it samples at (RFC 7587 section 4.1). */
export const ticksPerMs = 48;

const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds by the clock that all processes of this machine share, and that nobody sets. */
export const sharedMs = (): number => performance.now() + offset;

/** The RTP timestamp of sound that was spoken at this moment of the shared clock. */
export const timestampAt = (ms: number): number => Math.floor(ms * ticksPerMs) % 2 ** 32;

/** How long ago the sound with this RTP timestamp was spoken, in milliseconds; right for half a day. */
export const sinceTimestamp = (timestamp: number, now: number): number =>
  ((timestampAt(now) - timestamp) | 0) / ticksPerMs;
