import { setTimeout as pause } from 'node:timers/promises';
import type { LoadContext } from '../load/context.ts';
import { LightEars } from '../load/ears.ts';
import { RoomListener } from '../load/room-listener.ts';
import { RoomSpeaker } from '../load/room-speaker.ts';
import { RoomStage } from '../load/room-stage.ts';
import type { RostrumProcess } from './rostrum-process.ts';

export type TideOptions = {
  readonly rooms: number;
  /** Listeners of one room at most. */
  readonly listeners: number;
  /** How long people come and go, and how often a worker is killed meanwhile, in milliseconds. */
  readonly ms: number;
  readonly killEveryMs: number;
  /** Numbers from 0 up to 1 by which everything is chosen. */
  readonly random: () => number;
};

/** What was done in one tide. */
export type Deeds = { joins: number; leaves: number; promotions: number; kills: number; refused: number };

/** Something is done about so often, in milliseconds. */
const deedMs = 60;
/** People on the stage of a room, its host included: at first, and at most. */
const stage = { first: 2, most: 5 };

/** One room with its people, as they come and go. */
class SoakRoom {
  readonly #context: LoadContext;
  readonly #stage: RoomStage;
  readonly #listeners = new Set<RoomListener>();
  readonly #promoted = new Set<RoomSpeaker>();

  static async open(context: LoadContext, listeners: number): Promise<SoakRoom> {
    const speakers = stage.first;
    const places = listeners + stage.most;
    const opened = await RoomStage.open(context, { speakers, talking: 1, listeners: places, title: 'Soak' });
    const { roomId } = opened;
    await opened.speakers[0]?.listener.person.do('room:update', { roomId, changes: { maxSpeakers: stage.most } });
    return new SoakRoom(context, opened);
  }

  private constructor(context: LoadContext, stage: RoomStage) {
    this.#context = context;
    this.#stage = stage;
    stage.talk.start();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async join(): Promise<void> {
    const { roomId } = this.#stage;
    const listener = await RoomListener.join(this.#context, { roomId, ears: new LightEars(this.#context) });
    this.#listeners.add(listener);
  }

  async leave(random: () => number): Promise<void> {
    const listener = this.#take(random);
    await listener?.leave();
  }

  /** Somebody of the audience climbs the stage and opens a microphone; in a full one somebody leaves for them. */
  async promote(random: () => number): Promise<void> {
    const [first] = this.#promoted;
    if (first !== undefined && this.#promoted.size >= stage.most - stage.first) {
      this.#promoted.delete(first);
      await first.leave();
    }
    const listener = this.#take(random);
    if (listener === undefined) return;
    const { roomId } = this.#stage;
    const [host] = this.#stage.speakers;
    try {
      await listener.person.do('room:hand-raise', { roomId });
      await host?.listener.person.do('room:hand-accept', { roomId, userId: listener.person.userId });
      this.#promoted.add(await RoomSpeaker.speak(this.#context, listener));
    } catch (error) {
      await listener.leave();
      throw error;
    }
  }

  /** Everybody leaves, and the room ends. */
  async end(): Promise<void> {
    await Promise.all([...this.#listeners, ...this.#promoted].map((one) => one.leave()));
    await this.#stage.close();
  }

  #take(random: () => number): RoomListener | undefined {
    const all = [...this.#listeners];
    const listener = all[Math.floor(random() * all.length)];
    if (listener !== undefined) this.#listeners.delete(listener);
    return listener;
  }
}

/**
 * Rooms fill and empty: people join, leave and climb stages while others talk, and a worker is killed now and then. In the end
 * everybody leaves and every room is ended. What the server refuses while a worker is missing is counted, and no failure.
 */
export const tide = async (server: RostrumProcess, context: LoadContext, options: TideOptions): Promise<Deeds> => {
  const { random, ms, killEveryMs, listeners } = options;
  const deeds: Deeds = { joins: 0, leaves: 0, promotions: 0, kills: 0, refused: 0 };
  const rooms: SoakRoom[] = [];
  while (rooms.length < options.rooms) rooms.push(await SoakRoom.open(context, listeners));
  const underWay = new Set<Promise<void>>();
  const begin = (deed: 'joins' | 'leaves' | 'promotions', act: () => Promise<void>): void => {
    const doing = act()
      .then(
        () => {
          deeds[deed] += 1;
        },
        () => {
          deeds.refused += 1;
        },
      )
      .finally(() => underWay.delete(doing));
    underWay.add(doing);
  };
  const begun = performance.now();
  let killAt = begun + killEveryMs / 2;
  while (performance.now() - begun < ms) {
    const room = rooms[Math.floor(random() * rooms.length)];
    const chance = random();
    if (performance.now() >= killAt) {
      killAt += killEveryMs;
      deeds.kills += Number(await killOne(server, random));
    } else if (room !== undefined) {
      // It goes up to about as many as may be there.
      if (chance < 0.1) begin('promotions', () => room.promote(random));
      else if (chance < 0.1 + (0.9 * room.listeners) / listeners) begin('leaves', () => room.leave(random));
      else begin('joins', () => room.join());
    }
    await pause(2 * deedMs * random());
  }
  await Promise.all(underWay);
  await Promise.all(rooms.map((room) => room.end()));
  return deeds;
};

const killOne = async (server: RostrumProcess, random: () => number): Promise<boolean> => {
  const workers = await server.workers();
  const victim = workers[Math.floor(random() * workers.length)];
  if (victim === undefined) return false;
  process.kill(victim.pid, 'SIGKILL');
  return true;
};
