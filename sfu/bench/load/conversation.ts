/**
 * ITU-T P.59 (Artificial conversational speech), by which telephones are tested: one of two people talks, both do, or neither;
 * each state lasts an exponential time, and these are their means in milliseconds.
 */
const meanMs = { single: 854, double: 226, silence: 456 } as const;
/** From P.59 too: whoever talks alone is joined by the other, or else falls silent. After both, or neither, either goes on. */
const joinedShare = 0.4;
const otherShare = 0.5;

/** Who talks now, by their index among the speakers of a room. Time never goes back. */
export type TalkSource = { at(ms: number): ReadonlySet<number> };

export type ConversationRule = {
  /** People with an open microphone. */
  readonly speakers: number;
  /** How many of them talk at a time: so many conversations by the model go on side by side. */
  readonly talking: number;
};

type State = keyof typeof meanMs;

/** A conversation of two. With nobody left to talk to, somebody talks alone, with pauses. */
type Floor = { state: State; talker: number; other: number | undefined; until: number };

/**
 * People on a stage who talk as people do: in spurts of about a second, with pauses, falling into each other's words now and
 * then, and in turns, so that everybody's comes. Whoever has talked makes room for somebody who did not for a while.
 */
export class Conversation implements TalkSource {
  readonly #random: () => number;
  readonly #floors: readonly Floor[];
  /** Who is in none of the conversations. */
  readonly #idle: number[];
  readonly #talkers = new Set<number>();
  #begun = false;

  /** `random` gives numbers from 0 up to 1. */
  constructor({ speakers, talking }: ConversationRule, random: () => number = Math.random) {
    this.#random = random;
    this.#idle = Array.from({ length: speakers }, (_, index) => index);
    const talkers = Array.from({ length: Math.min(talking, speakers) }, () => this.#drawIdle());
    this.#floors = talkers.flatMap((talker) =>
      talker === undefined ? [] : [{ state: 'silence', talker, other: this.#drawIdle(), until: 0 }],
    );
  }

  at(ms: number): ReadonlySet<number> {
    if (!this.#begun) for (const floor of this.#floors) floor.until = ms + this.#lasts(floor.state);
    this.#begun = true;
    this.#talkers.clear();
    for (const floor of this.#floors) {
      while (floor.until <= ms) this.#change(floor);
      if (floor.state !== 'silence') this.#talkers.add(floor.talker);
      if (floor.state === 'double' && floor.other !== undefined) this.#talkers.add(floor.other);
    }
    return this.#talkers;
  }

  #change(floor: Floor): void {
    floor.state = this.#next(floor);
    floor.until += this.#lasts(floor.state);
  }

  #next(floor: Floor): State {
    if (floor.state === 'single')
      return floor.other !== undefined && this.#random() < joinedShare ? 'double' : 'silence';
    if (this.#random() < otherShare) this.#takeTurn(floor);
    return 'single';
  }

  /** The other goes on, and somebody else is the one who may come next. */
  #takeTurn(floor: Floor): void {
    const { talker, other } = floor;
    if (other === undefined) return;
    const next = this.#drawIdle();
    floor.talker = other;
    floor.other = next ?? talker;
    if (next !== undefined) this.#idle.push(talker);
  }

  #drawIdle(): number | undefined {
    const [drawn] = this.#idle.splice(Math.floor(this.#random() * this.#idle.length), 1);
    return drawn;
  }

  /** Whole milliseconds, at least one: every change moves time on. */
  #lasts(state: State): number {
    return Math.max(1, Math.round(-meanMs[state] * Math.log(1 - this.#random())));
  }
}

/** Everybody talks without a pause: the most that a room can cost. */
export const everybodyTalks = (speakers: number): TalkSource => {
  const everybody: ReadonlySet<number> = new Set(Array.from({ length: speakers }, (_, index) => index));
  return { at: () => everybody };
};
