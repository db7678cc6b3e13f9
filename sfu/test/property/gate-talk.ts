import { StageGate } from '../../src/media/stage-gate.ts';
import { check } from './world.ts';

/** The rule of these tests; the places differ. */
export const ruleOf = (voices: number) => ({ voices, onDbov: -55, holdMs: 1500 });

/** What a microphone hears at a moment, in dBov; undefined while it sends nothing. */
export type Sound = (ms: number) => number | undefined;

/** A microphone, the milliseconds of sound in a packet of its, and whether its packets say their level. */
export type Microphone = {
  readonly id: string;
  readonly packetMs: number;
  readonly sound: Sound;
  readonly saysLevel?: boolean;
};

const quiet = -80;

/** Steady noise, or silence. */
export const steady =
  (dBov: number): Sound =>
  () =>
    dBov;

/** Talk as loud as this: slow syllables with a dip in between, which packets of 60 ms have too. `phase` shifts them. */
export const talk =
  (dBov: number, phase = 0): Sound =>
  (ms) =>
    (ms + phase) % 480 < 360 ? dBov : dBov - 20;

/** Typing: a click of a packet or two every 180 ms. */
export const typing =
  (dBov: number, phase = 0): Sound =>
  (ms) =>
    (ms + phase) % 180 < 25 ? dBov : quiet;

/** One sound until this moment, another one from then on. */
export const turning =
  (before: Sound, atMs: number, after: Sound): Sound =>
  (ms) =>
    ms < atMs ? before(ms) : after(ms);

/** A gate with a clock, and what it did: checked at every step to be what the rule takes for granted always. */
export class GateWorld {
  readonly voices: number;
  readonly #gate: StageGate;
  /** What it said, the latest last. */
  readonly changes: { readonly at: number; readonly id: string; readonly isOpen: boolean }[] = [];
  readonly #open = new Set<string>();
  #hasClosed = false;
  present: ReadonlySet<string> = new Set();
  now = 0;

  constructor(voices: number) {
    this.voices = voices;
    this.#gate = new StageGate(ruleOf(voices), (id, isOpen) => {
      check(this.#open.has(id) !== isOpen, 'tells of changes alone', id, isOpen);
      if (isOpen) this.#open.add(id);
      else this.#open.delete(id);
      check(this.#gate.isOpen(id) === isOpen, 'is what it tells', id);
      check(!(isOpen && this.#hasClosed), 'opens first', id);
      this.#hasClosed ||= !isOpen;
      this.changes.push({ at: this.now, id, isOpen });
    });
  }

  get open(): ReadonlySet<string> {
    return this.#open;
  }

  follow(ids: Iterable<string>): void {
    this.#hasClosed = false;
    this.present = new Set(ids);
    this.#gate.follow(this.present);
    this.#check();
  }

  heard(id: string, dBov: number | undefined): void {
    this.#hasClosed = false;
    this.#gate.heard(id, dBov, this.now);
    this.#check();
  }

  /** Lets time pass with what these microphones hear. Packets come when their sound is over, of each at another moment. */
  run(microphones: readonly Microphone[], ms: number): void {
    const packets = microphones.flatMap(({ id, packetMs, sound, saysLevel = true }, index) => {
      const from = this.now + ((index * 7) % packetMs) + 1;
      return Array.from({ length: Math.max(0, Math.floor((this.now + ms - from) / packetMs)) }, (_, count) => {
        const at = from + count * packetMs;
        return { id, at, dBov: levelOf(sound, at, packetMs), saysLevel };
      });
    });
    const end = this.now + ms;
    for (const { id, at, dBov, saysLevel } of packets.sort((a, b) => a.at - b.at)) {
      this.now = at;
      if (dBov !== undefined) this.heard(id, saysLevel ? dBov : undefined);
    }
    this.now = end;
  }

  /** Voices that were let in since this moment. */
  switchesSince(ms: number): number {
    return this.changes.filter(({ at, isOpen }) => isOpen && at > ms).length;
  }

  #check(): void {
    const { open, present, voices } = this;
    check(
      open.size === Math.min(voices, present.size),
      'as many are open as there are places',
      [...open],
      [...present],
    );
    for (const id of open) check(present.has(id), 'who is open is present', id);
    for (const id of present) check(this.#gate.isOpen(id) === open.has(id), 'what it told is what is', id);
  }
}

/** The level of so many milliseconds before this moment, undefined where nothing is sent in all of them. */
const levelOf = (sound: Sound, at: number, packetMs: number): number | undefined => {
  const levels = Array.from({ length: packetMs / 10 }, (_, index) => sound(at - 10 * (index + 1)));
  const power = levels.reduce<number>((sum, level) => sum + (level === undefined ? 0 : 10 ** (level / 10)), 0);
  return levels.every((level) => level === undefined)
    ? undefined
    : Math.max(-127, 10 * Math.log10(power / levels.length));
};
