/**
 * How long a node keeps what another node has to know, in milliseconds: that one has heard of it long before, unless Redis is
 * away; and while that is away nothing is forgotten here either.
 */
const passingMs = 10_000;
/** RE-5: more than that in ten seconds would be noted by nobody. */
const most = 1000;

/** Names of what is kept only for a while, in the order in which it was noted. */
export class Passing {
  readonly #times = new Map<string, number>();

  note(name: string, now: number): void {
    this.#times.delete(name);
    this.#times.set(name, now);
  }

  /** It is kept for good, or gone. */
  forget(name: string): void {
    this.#times.delete(name);
  }

  /** Those that are over, and those that are too many. Each is named once. */
  over(now: number): string[] {
    const names: string[] = [];
    for (const [name, at] of this.#times) {
      if (at > now - passingMs && this.#times.size <= most) break;
      this.#times.delete(name);
      names.push(name);
    }
    return names;
  }
}
