/** Packets that a microphone sends in a second while somebody talks, with so many milliseconds of sound in each. */
export const packetsPerSecond = (packetMs: number): number => 1000 / packetMs;

/**
 * What a listener may come to cost, in packets a second (MD-3): admission counts what a listener will cost, not what it costs now,
 * as a room that is quiet today talks tomorrow. Of the microphones that are open, by the milliseconds in a packet of each, the
 * `voices` most expensive: more are never sent to the audience at a time (MD-6). Those that are lacking are counted as one that opens
 * next would cost, with `nextPacketMs` in a packet. Pure.
 */
export const listenerCost = (
  microphonePacketMs: readonly number[],
  { voices, nextPacketMs }: { readonly voices: number; readonly nextPacketMs: number },
): number => {
  const rates = microphonePacketMs
    .map(packetsPerSecond)
    .sort((one, other) => other - one)
    .slice(0, voices);
  const lacking = voices - rates.length;
  return rates.reduce((sum, rate) => sum + rate, 0) + lacking * packetsPerSecond(nextPacketMs);
};
