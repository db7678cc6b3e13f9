import { lostDatagramsByPort } from '../lib/lost-datagrams.ts';

/** Datagrams that came to sockets of this process and found no room: the server sent them, and this process was too slow. */
export class UdpDrops {
  readonly #drops = new Map<number, number>();
  #gone = 0;

  open(port: number): void {
    this.#drops.set(port, 0);
  }

  close(port: number): void {
    this.#gone += this.#drops.get(port) ?? 0;
    this.#drops.delete(port);
  }

  /** Looks what each socket has lost by now. */
  async look(): Promise<void> {
    const lost = await lostDatagramsByPort();
    for (const port of this.#drops.keys()) {
      const count = lost.get(port);
      if (count !== undefined) this.#drops.set(port, count);
    }
  }

  /** As of the last look. */
  get total(): number {
    return this.#gone + [...this.#drops.values()].reduce((total, count) => total + count, 0);
  }
}
