import type { Speaker } from '../lib/speakers.ts';
import type { TalkSource } from './conversation.ts';
import { gridMs, type Metronome } from './metronome.ts';
import { timestampAt } from './rtp-clock.ts';
import { type VoiceOptions, VoicePattern } from './voice-pattern.ts';

/** A stall of this process longer than this is a gap, as with a microphone; shorter ones are caught up. */
const longestCatchUpMs = 200;

/** An open microphone with somebody in front of it. */
export class OpenVoice {
  readonly #speaker: Speaker;
  readonly #pattern: VoicePattern;

  constructor(speaker: Speaker, { quality = 'medium', dtx }: Partial<Pick<VoiceOptions, 'quality' | 'dtx'>> = {}) {
    this.#speaker = speaker;
    this.#pattern = new VoicePattern({ packetMs: speaker.packetMs, quality, dtx });
  }

  get packetMs(): number {
    return this.#speaker.packetMs;
  }

  get transportId(): string {
    return this.#speaker.transportId;
  }

  /** The packet of the sound that ends at `due`, by the shared clock, if one is sent. Answers whether it was. */
  send(due: number, talks: boolean): boolean {
    const packet = this.#pattern.next(due, talks);
    if (packet === undefined) return false;
    // A timestamp is that of the first sample (RFC 3550 section 5.1), which was spoken before the packet was full.
    this.#speaker.sendPacket({ ...packet, timestamp: timestampAt(due - this.packetMs) });
    return true;
  }

  close(): void {
    this.#speaker.close();
  }
}

/** Somebody on a stage; without a voice while their microphone is not open. */
export type Talker = { readonly voice: OpenVoice | undefined };

/** Makes the people of one stage talk: in which order `source` says, by their index among the talkers. */
export class Talk {
  readonly #talkers: readonly Talker[];
  readonly #source: TalkSource;
  readonly #metronome: Metronome;
  /** When the packet of each is due that comes next. */
  readonly #due: (number | undefined)[];
  #stop: (() => void) | undefined;
  /** Packets that were sent, all speakers together. */
  packets = 0;

  constructor(talkers: readonly Talker[], source: TalkSource, metronome: Metronome) {
    this.#talkers = talkers;
    this.#source = source;
    this.#metronome = metronome;
    this.#due = talkers.map(() => undefined);
  }

  start(): void {
    this.#stop ??= this.#metronome.add((now) => this.#beat(now));
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#due.fill(undefined);
  }

  #beat(now: number): void {
    const talking = this.#source.at(now);
    for (const [index, { voice }] of this.#talkers.entries()) {
      if (voice === undefined) {
        this.#due[index] = undefined;
        continue;
      }
      let due = Math.max(this.#due[index] ?? firstDue(now, index, voice.packetMs), now - longestCatchUpMs);
      for (; due <= now; due += voice.packetMs) if (voice.send(due, talking.has(index))) this.packets += 1;
      this.#due[index] = due;
    }
  }
}

/** People do not begin at one moment: their packets come one after the other. */
const firstDue = (now: number, index: number, packetMs: number): number => {
  const begun = Math.ceil(now / packetMs) * packetMs;
  return begun + ((index * gridMs) % packetMs);
};
