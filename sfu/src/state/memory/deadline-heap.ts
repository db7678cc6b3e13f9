import type { DeadlineKey } from '../../rules/room/deadlines.ts';
import type { DeadlineChanges, DueDeadline } from '../room-store.ts';

/**
 * Deadlines by time: a binary heap with lazy removal. What counts is `live`; an entry of the heap that it does not
 * confirm is dropped when it comes up, and the heap is rebuilt when most of it is dead, so it stays within twice the
 * number of live deadlines.
 */
export class DeadlineHeap {
  readonly #live = new Map<string, DueDeadline>();
  #heap: DueDeadline[] = [];

  apply(roomId: string, changes: DeadlineChanges): void {
    for (const key of changes.clear) this.#live.delete(liveKey(roomId, key));
    for (const [key, at] of changes.set) {
      const deadline = { roomId, key, at };
      this.#live.set(liveKey(roomId, key), deadline);
      this.#push(deadline);
    }
    if (this.#heap.length > 2 * this.#live.size + 1024) this.#rebuild();
  }

  /** Removes the deadline if it is still the same. */
  clear(due: DueDeadline): void {
    const key = liveKey(due.roomId, due.key);
    if (this.#live.get(key)?.at === due.at) this.#live.delete(key);
  }

  /** Deadlines due at `now`, earliest first. They stay live, and come again. */
  due(now: number, most: number): DueDeadline[] {
    const found: DueDeadline[] = [];
    while (found.length < most) {
      const first = this.#heap[0];
      if (first === undefined || first.at > now) break;
      this.#pop();
      if (this.#live.get(liveKey(first.roomId, first.key)) === first) found.push(first);
    }
    for (const deadline of found) this.#push(deadline);
    return found;
  }

  removeRoom(roomId: string): void {
    for (const [key, deadline] of this.#live) if (deadline.roomId === roomId) this.#live.delete(key);
  }

  get size(): number {
    return this.#live.size;
  }

  #rebuild(): void {
    this.#heap = [];
    for (const deadline of this.#live.values()) this.#push(deadline);
  }

  #push(deadline: DueDeadline): void {
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

const liveKey = (roomId: string, key: DeadlineKey): string => `${roomId} ${key}`;
