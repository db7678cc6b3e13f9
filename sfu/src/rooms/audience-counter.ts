import type { RoomControl } from '../rules/room/state.ts';
import type { RoomPublisher } from './ports.ts';

/**
 * Tells how many listen in rooms where arrivals and departures are not sent one by one (RM-6, RM-10): at most once per
 * interval a room, and always the last count. A room that is quiet holds nothing here.
 */
export class AudienceCounter {
  readonly #publisher: RoomPublisher;
  readonly #intervalMs: number;
  readonly #rooms = new Map<string, { count: number; told: number; timer: NodeJS.Timeout }>();

  constructor(publisher: RoomPublisher, intervalMs: number) {
    this.#publisher = publisher;
    this.#intervalMs = intervalMs;
  }

  changed(control: RoomControl, count: number): void {
    const { roomId } = control;
    if (control.audienceListed && !control.settings.privacy.hideParticipants) {
      // Arrivals are sent one by one again: a count that waited would contradict them.
      this.forget(roomId);
      return;
    }
    const known = this.#rooms.get(roomId);
    if (known) {
      known.count = count;
      return;
    }
    this.#tell(roomId, count);
  }

  forget(roomId: string): void {
    clearTimeout(this.#rooms.get(roomId)?.timer);
    this.#rooms.delete(roomId);
  }

  close(): void {
    for (const roomId of [...this.#rooms.keys()]) this.forget(roomId);
  }

  #tell(roomId: string, count: number): void {
    this.#publisher.toRoom(roomId, 'room:audience', { roomId, count });
    const timer = setTimeout(() => {
      const known = this.#rooms.get(roomId);
      this.#rooms.delete(roomId);
      if (known && known.count !== known.told) this.#tell(roomId, known.count);
    }, this.#intervalMs);
    timer.unref();
    this.#rooms.set(roomId, { count, told: count, timer });
  }
}
