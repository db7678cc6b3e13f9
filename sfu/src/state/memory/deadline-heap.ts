/** What is due at a time: `key` names it among the deadlines of its owner. */
type Deadline = { readonly key: string; readonly at: number };

/**
 * Deadlines by time, of owners such as a room, a call or a ticket: a binary heap with lazy removal. What counts is `live`; an
 * entry of the heap that it does not confirm is dropped when it comes up, and the heap is rebuilt when most of it is dead, so it
 * stays within twice the number of live deadlines. A deadline that is set again for the same time costs nothing.
 */
export class DeadlineHeap<Due extends Deadline> {
  readonly #ownerOf: (due: Due) => string;
  readonly #live = new Map<string, Map<string, Due>>();
  #liveCount = 0;
  #heap: Due[] = [];

  constructor(ownerOf: (due: Due) => string) {
    this.#ownerOf = ownerOf;
  }

  /** Sets each of these; one with the same owner and key is replaced. */
  set(deadlines: readonly Due[]): void {
    for (const deadline of deadlines) this.#set(deadline);
    if (this.#heap.length > 2 * this.#liveCount + 1024) this.#rebuild();
  }

  /** Removes an owner's deadline, whatever its time. */
  remove(owner: string, key: string): void {
    const kept = this.#live.get(owner);
    if (!kept?.delete(key)) return;
    this.#liveCount -= 1;
    if (kept.size === 0) this.#live.delete(owner);
  }

  /** Removes all that this owner has. */
  removeOwner(owner: string): void {
    this.#liveCount -= this.#live.get(owner)?.size ?? 0;
    this.#live.delete(owner);
  }

  /** Gives an owner just these. */
  replace(owner: string, deadlines: readonly Due[]): void {
    const keys = new Set(deadlines.map((deadline) => deadline.key));
    for (const key of [...(this.#live.get(owner)?.keys() ?? [])]) if (!keys.has(key)) this.remove(owner, key);
    this.set(deadlines);
  }

  /** Removes the deadline if it is still the same. */
  clear(due: Due): void {
    const owner = this.#ownerOf(due);
    if (this.#live.get(owner)?.get(due.key)?.at === due.at) this.remove(owner, due.key);
  }

  /** Deadlines due at `now`, earliest first. They stay live, and come again. */
  due(now: number, most: number): Due[] {
    const found: Due[] = [];
    while (found.length < most) {
      const first = this.#heap[0];
      if (first === undefined || first.at > now) break;
      this.#pop();
      if (this.#live.get(this.#ownerOf(first))?.get(first.key) === first) found.push(first);
    }
    for (const deadline of found) this.#push(deadline);
    return found;
  }

  #set(deadline: Due): void {
    const owner = this.#ownerOf(deadline);
    const kept = this.#live.get(owner) ?? new Map<string, Due>();
    const before = kept.get(deadline.key);
    if (before?.at === deadline.at) return;
    if (!before) this.#liveCount += 1;
    this.#live.set(owner, kept.set(deadline.key, deadline));
    this.#push(deadline);
  }

  #rebuild(): void {
    this.#heap = [];
    for (const kept of this.#live.values()) for (const deadline of kept.values()) this.#push(deadline);
  }

  #push(deadline: Due): void {
    const heap = this.#heap;
    let index = heap.push(deadline) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= deadline.at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = deadline;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const leftEntry = heap[left];
      const rightEntry = heap[right];
      if (leftEntry === undefined) break;
      const smaller = rightEntry !== undefined && rightEntry.at < leftEntry.at ? right : left;
      const child = heap[smaller];
      if (child === undefined || child.at >= last.at) break;
      heap[index] = child;
      index = smaller;
    }
    heap[index] = last;
  }
}
