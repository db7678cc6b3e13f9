import { setTimeout as pause } from 'node:timers/promises';
import type { LoadContext } from '../load/context.ts';
import { everybodyTalks } from '../load/conversation.ts';
import { LightEars } from '../load/ears.ts';
import { RoomListener } from '../load/room-listener.ts';
import { RoomStage } from '../load/room-stage.ts';
import { sharedMs } from '../load/rtp-clock.ts';
import { Tally } from '../load/tally.ts';
import { peopleOf } from './people.ts';
import { type RostrumProcess, startRostrumProcess } from './rostrum-process.ts';

/** Which worker dies: the one with the microphones, or one that serves listeners alone. */
export type Victim = 'stage' | 'audience';

/** What one death came to. */
export type Death = {
  /** For each listener the longest time without any packet, in milliseconds. */
  readonly gapsMs: readonly number[];
  /** How many were told that they do not hear, or speak, any more. */
  readonly lost: { readonly hearing: number; readonly speaking: number };
};

export type RoomSize = { readonly listeners: number; readonly speakers: number };

/** A worker that lives this long is no part of a series of deaths, in milliseconds; with some time to spare. */
const soundMs = 11_000;
/** How long people talk before a worker dies, and how long until everybody hears again at the latest, in milliseconds. */
const talkMs = 1500;
const backMs = 20_000;
const lookMs = 50;
/** Everybody heard something so short a time ago: they are back, in milliseconds. The stage talks all the time. */
const heardMs = 100;

/** A server whose workers are killed under rooms in which everybody talks all the time. */
export class DyingServer {
  readonly #server: RostrumProcess;
  readonly #context: LoadContext;
  readonly #tally: Tally;
  #soundAt = performance.now() + soundMs;

  static async start(workers: number, more: Readonly<Record<string, string>>): Promise<DyingServer> {
    // What it says of its workers' deaths is no news here.
    const server = await startRostrumProcess({ LOG_LEVEL: 'fatal', ...more, WORKERS: String(workers) });
    const tally = new Tally();
    return new DyingServer(server, await peopleOf(server.url, { tally }), tally);
  }

  private constructor(server: RostrumProcess, context: LoadContext, tally: Tally) {
    this.#server = server;
    this.#context = context;
    this.#tally = tally;
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** Lets a worker die under a new room, once no worker is in a series of deaths. Rejects when somebody does not hear again. */
  async kill(victim: Victim, size: RoomSize): Promise<Death> {
    await pause(Math.max(0, this.#soundAt - performance.now()));
    const room = await TalkingRoom.open(this.#context, size);
    try {
      await room.everybodyHears();
      const { counters } = this.#tally;
      const before = { hearing: counters.hearingLost, speaking: counters.speakingLost };
      const pid = await this.#pidOf(victim);
      const gapsMs = await room.gapsAfter(() => process.kill(pid, 'SIGKILL'));
      this.#soundAt = performance.now() + soundMs;
      return {
        gapsMs,
        lost: { hearing: counters.hearingLost - before.hearing, speaking: counters.speakingLost - before.speaking },
      };
    } finally {
      await room.close();
    }
  }

  /** What went wrong on the way, by what was asked for and the code. */
  get failures(): Readonly<Record<string, number>> {
    return this.#tally.figures().failures;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  async #pidOf(victim: Victim): Promise<number> {
    const workers = await this.#server.workers();
    const found = workers.find(({ people, microphones }) =>
      victim === 'stage' ? microphones > 0 : people > 0 && microphones === 0,
    );
    if (found === undefined) throw new Error(`no worker serves the ${victim} alone: ${JSON.stringify(workers)}`);
    return found.pid;
  }
}

type Listener = { readonly listener: RoomListener; readonly ears: LightEars };

/** A room in which everybody on the stage talks all the time. */
class TalkingRoom {
  readonly #stage: RoomStage;
  readonly #listeners: readonly Listener[];

  static async open(context: LoadContext, { listeners, speakers }: RoomSize): Promise<TalkingRoom> {
    const source = everybodyTalks(speakers);
    const stage = await RoomStage.open(context, {
      speakers,
      talking: speakers,
      listeners,
      source,
      anyoneCanSpeak: true,
    });
    const all: Listener[] = [];
    while (all.length < listeners) {
      const ears = new LightEars(context);
      all.push({ ears, listener: await RoomListener.join(context, { roomId: stage.roomId, ears }) });
    }
    const room = new TalkingRoom(stage, all);
    stage.talk.start();
    // Whoever is moved as the room grows is where they belong by then.
    await pause(talkMs);
    await room.#settled();
    return room;
  }

  private constructor(stage: RoomStage, listeners: readonly Listener[]) {
    this.#stage = stage;
    this.#listeners = listeners;
  }

  /** For each listener the longest time without any packet from now until everybody is back after this, in milliseconds. */
  async gapsAfter(happens: () => void): Promise<number[]> {
    for (const { ears } of this.#listeners) ears.stats.forgetGap();
    happens();
    // Until it is felt everybody hears.
    await pause(2 * heardMs);
    await this.everybodyHears();
    await this.#settled();
    await this.everybodyHears();
    return this.#listeners.map(({ ears }) => ears.stats.longestGapMs);
  }

  async everybodyHears(): Promise<void> {
    const begun = performance.now();
    const deaf = (): number => {
      const since = sharedMs() - heardMs;
      return this.#listeners.filter(({ ears }) => (ears.stats.lastPacketAt ?? 0) < since).length;
    };
    for (let left = deaf(); left > 0; left = deaf()) {
      if (performance.now() - begun > backMs) throw new Error(`${left} listeners do not hear`);
      await pause(lookMs);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map(({ listener }) => listener.leave()));
    await this.#stage.close();
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#listeners.map(({ listener }) => listener.settled()));
  }
}
