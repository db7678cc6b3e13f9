import type { RoomControl } from '../rules/room/state.ts';
import type { RoomStore } from '../state/room-store.ts';
import type { RoomPublisher } from './ports.ts';

type Counted = { count: number; told: number; timer: NodeJS.Timeout };

/**
 * Tells how many listen in rooms where arrivals and departures are not sent one by one (RM-6, RM-10): at most once per
 * interval a room, and always the last count. A room that is quiet holds nothing here. Other nodes tell too, and what they
 * tell may cross: so after each interval the count is looked up, and told again where it is another one. It may cross with a
 * whole view as well, which is older and takes its place, and a count has no number that would show that: so among other nodes
 * the last one is told twice, an interval apart.
 */
export class AudienceCounter {
  readonly #publisher: Pick<RoomPublisher, 'toRoom'>;
  readonly #intervalMs: number;
  readonly #store: Pick<RoomStore, 'load'> | undefined;
  readonly #rooms = new Map<string, Counted>();

  /** A node that is alone knows every count, and needs no `store` to look it up. */
  constructor(publisher: Pick<RoomPublisher, 'toRoom'>, intervalMs: number, store?: Pick<RoomStore, 'load'>) {
    this.#publisher = publisher;
    this.#intervalMs = intervalMs;
    this.#store = store;
  }

  changed(control: RoomControl, count: number): void {
    const { roomId } = control;
    if (!isCounted(control)) {
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
    this.#say(roomId, count);
    const timer = setTimeout(() => void this.#again(roomId), this.#intervalMs);
    timer.unref();
    this.#rooms.set(roomId, { count, told: count, timer });
  }

  #say(roomId: string, count: number): void {
    this.#publisher.toRoom(roomId, 'room:audience', { roomId, count });
  }

  /** Never rejects. */
  async #again(roomId: string): Promise<void> {
    const known = this.#rooms.get(roomId);
    if (!known) return;
    const { count } = known;
    const looked = this.#store ? await lookUp(this.#store, roomId, count) : count;
    if (this.#rooms.get(roomId) !== known) return;
    this.#rooms.delete(roomId);
    // One that came while this looked is later.
    const latest = known.count === count ? looked : known.count;
    if (latest === undefined) return;
    if (latest !== known.told) this.#tell(roomId, latest);
    else if (this.#store) this.#say(roomId, latest);
  }
}

const isCounted = ({ audienceListed, settings }: RoomControl): boolean =>
  !audienceListed || settings.privacy.hideParticipants;

/** How many listen now; undefined where they are not counted any more. While the state is away, as many as were heard of. */
const lookUp = async (
  store: Pick<RoomStore, 'load'>,
  roomId: string,
  otherwise: number,
): Promise<number | undefined> => {
  try {
    const loaded = await store.load(roomId, () => ({ users: [], standings: [] }));
    return loaded && isCounted(loaded.state.control) ? loaded.state.audienceSize : undefined;
  } catch {
    return otherwise;
  }
};
