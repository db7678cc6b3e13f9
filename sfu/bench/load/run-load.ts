import { availableParallelism, loadavg } from 'node:os';
import { Child } from '../lib/child.ts';
import type { Arrivals, Calls, CrowdFigures, CrowdProgress } from './crowd.ts';
import type { CrowdBegin } from './crowd-process.ts';
import type { LoadOptions } from './load-options.ts';
import { type LoadResult, resultOf } from './load-result.ts';
import { findServer } from './load-server.ts';
import { tooManyFiles } from './open-files.ts';
import { wait } from './patience.ts';
import type { StageOptions } from './room-stage.ts';
import { ServerMetrics } from './server-metrics.ts';

/** How often the processes are asked how far they are, and the server how it is, in milliseconds. */
const pollMs = 1000;
const metricsMs = 5000;
/** Probes come at this rate: libwebrtc takes its time for each. */
const probesPerSecond = 5;

/** The load could not begin, or broke off; the message is for whoever started it. */
export class CannotRun extends Error {}

export type Telling = {
  /** Where it is. */
  readonly progress: (text: string) => void;
  /** Aborted: whoever is in leaves, and what was measured so far is the result. */
  readonly signal: AbortSignal;
};

/** Runs a whole load, and answers with what it measured. @throws CannotRun */
export const runLoad = async (options: LoadOptions, telling: Telling): Promise<LoadResult> => {
  const people = Math.ceil((options.rooms * (options.listeners + options.speakers)) / options.processes);
  const tooMany = await tooManyFiles(people);
  if (tooMany !== undefined) throw new CannotRun(tooMany);
  const load = new Load(options, telling);
  try {
    await load.start();
    return await load.run();
  } catch (error) {
    if (error instanceof CannotRun) throw error;
    throw new CannotRun(`the load broke off: ${messageOf(error)}`, { cause: error });
  } finally {
    await load.close();
  }
};

type LoadProcess = { readonly name: string; readonly child: Child };
type OpenRoom = { readonly roomId: string; readonly userIds: readonly string[] };

class Load {
  readonly #options: LoadOptions;
  readonly #telling: Telling;
  readonly #metrics: ServerMetrics;
  readonly #processes: LoadProcess[] = [];
  /** With libwebrtc, which is heavy: apart from the others, so that it disturbs nobody's measurement. */
  #real: LoadProcess | undefined;
  readonly #problems: string[] = [];

  constructor(options: LoadOptions, telling: Telling) {
    this.#options = options;
    this.#telling = telling;
    this.#metrics = new ServerMetrics(options.metrics ?? `${new URL(options.server).origin}/metrics`);
  }

  async start(): Promise<void> {
    const { server: url, mediaAddresses, forwarded, processes, probes, callers } = this.#options;
    const server = await findServer(url, { mediaAddresses, forwarded }).catch((error: unknown) => {
      throw new CannotRun(`${url} is not found: ${messageOf(error)}`);
    });
    await reach(server.url);
    const isReal = probes + callers > 0;
    const begin: Omit<CrowdBegin, 'index'> = {
      url: server.url,
      addresses: server.addresses.all,
      forwarded,
      processes: processes + (isReal ? 1 : 0),
    };
    for (let index = 0; index < processes; index += 1)
      this.#processes.push(await startProcess(`load process ${index + 1}`, { ...begin, index }));
    if (isReal) this.#real = await startProcess('process with real WebRTC', { ...begin, index: processes });
  }

  async run(): Promise<LoadResult> {
    const { signal } = this.#telling;
    const rooms = await this.#openRooms();
    let steadySeconds = 0;
    if (!signal.aborted) {
      await this.#everybody((child) => child.call('know', { userIds: rooms.flatMap(({ userIds }) => userIds) }));
      await this.#everybody((child) => child.call('talk'));
      await this.#arrive(rooms);
      await this.#untilIn();
      if (this.#options.reopenMicrophones) {
        await this.#lightOnes((child) => child.call('reopen'));
        await this.#untilIn();
      }
      steadySeconds = await this.#stay();
    }
    this.#telling.progress('everybody leaves');
    await this.#everybody((child) => child.call('hush'));
    const figures = await this.#figures();
    await this.#everybody((child) => child.call('leave'));
    return resultOf({
      options: this.#options,
      interrupted: signal.aborted,
      steadySeconds,
      processes: figures,
      use: this.#metrics.use,
      machine: { cores: availableParallelism(), loadAverage: Number((loadavg()[0] ?? 0).toFixed(2)) },
      problems: this.#problems,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ child }) => child.close()));
  }

  get #all(): readonly LoadProcess[] {
    return this.#real === undefined ? this.#processes : [...this.#processes, this.#real];
  }

  /** Those of one process one after the other, and all processes at once. */
  async #openRooms(): Promise<readonly OpenRoom[]> {
    const { rooms, room, speakers, talking, listeners, anyoneCanSpeak } = this.#options;
    const { progress, signal } = this.#telling;
    if (room !== undefined && speakers === 0) return [{ roomId: room, userIds: [] }];
    if (speakers === 0) return [];
    const opened: OpenRoom[] = [];
    const open = async ({ child }: LoadProcess, first: number): Promise<void> => {
      for (let index = first; index < rooms && !signal.aborted; index += this.#processes.length) {
        const stage: StageOptions = {
          speakers,
          talking,
          // Probes come to the rooms in turn.
          listeners: listeners + Math.ceil(this.#options.probes / rooms),
          anyoneCanSpeak,
          title: `Load test ${index + 1}`,
          ...(room === undefined ? {} : { roomId: room }),
        };
        opened.push(await child.call<OpenRoom>('openRoom', stage));
        progress(`${opened.length} of ${rooms} stages are filled`);
      }
    };
    try {
      await Promise.all(this.#processes.map((one, index) => open(one, index)));
    } catch (error) {
      throw new CannotRun(`the stage could not be filled: ${messageOf(error)}`, { cause: error });
    }
    return opened;
  }

  async #arrive(rooms: readonly OpenRoom[]): Promise<void> {
    const { listeners, joinsPerSecond, probes, callers, talkSeconds } = this.#options;
    const count = this.#processes.length;
    await Promise.all(
      this.#processes.map(({ child }, index) => {
        const arrivals: Arrivals = {
          kind: 'light',
          rooms: rooms.map(({ roomId }, room) => ({
            roomId,
            people: shareOf(listeners, count, (index + room) % count),
          })),
          perSecond: joinsPerSecond / count,
          // One process after the other, so that the rate is even.
          afterMs: (1000 * index) / joinsPerSecond,
        };
        return child.call('arrive', arrivals);
      }),
    );
    const real = this.#real?.child;
    if (real === undefined) return;
    const arrivals: Arrivals = {
      kind: 'wrtc',
      rooms: rooms.map(({ roomId }, room) => ({ roomId, people: shareOf(probes, rooms.length, room) })),
      perSecond: probesPerSecond,
      afterMs: 0,
    };
    const calls: Calls = { callers, talkMs: 1000 * talkSeconds };
    if (probes > 0) await real.call('arrive', arrivals);
    if (callers > 0) await real.call('call', calls);
  }

  async #untilIn(): Promise<void> {
    while (!this.#telling.signal.aborted) {
      const all = await this.#progress('coming in');
      if (all.every(({ busy }) => !busy) || all.some(({ foreign }) => foreign !== null)) return;
      await this.#pause(pollMs);
    }
  }

  /** Answers with how many seconds everybody was in. */
  async #stay(): Promise<number> {
    const begun = performance.now();
    const lastsMs = 1000 * this.#options.duration;
    let lookedAt = Number.NEGATIVE_INFINITY;
    while (!this.#telling.signal.aborted && performance.now() - begun < lastsMs) {
      if (performance.now() - lookedAt >= metricsMs) {
        lookedAt = performance.now();
        await this.#metrics.look();
      }
      const all = await this.#progress(`${Math.ceil((lastsMs - (performance.now() - begun)) / 1000)} s to go`);
      if (all.some(({ foreign }) => foreign !== null)) break;
      await this.#pause(Math.min(pollMs, lastsMs - (performance.now() - begun)));
    }
    await this.#metrics.look();
    return (performance.now() - begun) / 1000;
  }

  async #progress(doing: string): Promise<CrowdProgress[]> {
    const all = await this.#everybody((child) => child.call<CrowdProgress>('progress'));
    const sum = (of: (one: CrowdProgress) => number): number => all.reduce((total, one) => total + of(one), 0);
    const in_ = sum(({ joined }) => joined);
    const refused = sum((one) => one.refused);
    const heard = sum((one) => one.heard);
    this.#telling.progress(`${doing}: ${in_} are in, ${heard} hear, ${refused} were refused or failed`);
    return all;
  }

  async #figures(): Promise<{ name: string; figures: CrowdFigures }[]> {
    const figures: { name: string; figures: CrowdFigures }[] = [];
    for (const { name, child } of this.#all) {
      try {
        figures.push({ name, figures: await child.call<CrowdFigures>('figures') });
      } catch (error) {
        this.#problems.push(`${name} told nothing: ${messageOf(error)}`);
      }
    }
    return figures;
  }

  /** Asks every process. One with libwebrtc that is gone is told of once, and the load goes on without it. */
  async #everybody<Answer>(ask: (child: Child) => Promise<Answer>): Promise<Answer[]> {
    const answers = await this.#lightOnes(ask);
    const real = this.#real;
    if (real === undefined) return answers;
    try {
      return [...answers, await ask(real.child)];
    } catch (error) {
      this.#problems.push(`the probes and callers are gone: ${messageOf(error)}`);
      this.#real = undefined;
      await real.child.close();
      return answers;
    }
  }

  #lightOnes<Answer>(ask: (child: Child) => Promise<Answer>): Promise<Answer[]> {
    return Promise.all(this.#processes.map(({ child }) => ask(child)));
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await wait(ms, this.#telling.signal).catch(() => undefined);
  }
}

const startProcess = async (name: string, begin: CrowdBegin): Promise<LoadProcess> => {
  const [child] = await Child.start(new URL('./crowd-process.ts', import.meta.url));
  await child.call('begin', begin);
  return { name, child };
};

/** Says early, and in words, that nobody is there. @throws CannotRun */
const reach = async (url: string): Promise<void> => {
  try {
    const response = await fetch(`${url}/healthz`, { redirect: 'error', signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`/healthz answered ${response.status}`);
  } catch (error) {
    throw new CannotRun(`${url} is no Rostrum that runs: ${messageOf(error)}`, { cause: error });
  }
};

/** How many of these people the one with this index has, of so many. */
const shareOf = (people: number, of: number, index: number): number =>
  Math.floor(people / of) + (index < people % of ? 1 : 0);

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
};
