/**
 * What was read or written last, at most `most` of it, by a name: the one that was not used for longest goes first. A value is
 * kept with the stamp that Redis holds beside it, a fresh id for each time it is written, and is the present one if the stamps
 * are the same. A version would not do: a Redis that lost its last writes counts the same numbers again.
 */
export class Recent<Value extends { readonly stamp: string }> {
  readonly #most: number;
  readonly #values = new Map<string, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  get(name: string): Value | undefined {
    const value = this.#values.get(name);
    if (value) this.set(name, value);
    return value;
  }

  set(name: string, value: Value): void {
    this.#values.delete(name);
    this.#values.set(name, value);
    if (this.#values.size > this.#most) this.#forgetOldest();
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  #forgetOldest(): void {
    for (const name of this.#values.keys()) {
      this.#values.delete(name);
      return;
    }
  }
}
