import { Refused } from '../lib/refused.ts';
import type { Caller } from './caller.ts';
import type { LoadContext } from './context.ts';
import { type Ears, LightEars } from './ears.ts';
import { Generator, type GeneratorFigures } from './generator.ts';
import type { LoadServer } from './load-server.ts';
import { Metronome } from './metronome.ts';
import { arriveAtPace } from './pace.ts';
import { wait } from './patience.ts';
import { RoomListener } from './room-listener.ts';
import { RoomStage, type StageOptions } from './room-stage.ts';
import { Tally, type TallyFigures } from './tally.ts';
import { UdpDrops } from './udp-drops.ts';

/** What is on its way when the stage falls silent has arrived after so long, in milliseconds. */
const settleMs = 300;
/** Longest that leaving may take: a server that does not answer must not keep the load here. In milliseconds. */
const leaveMs = 15_000;
/** People who leave at a time. */
const leaveAtOnce = 100;

type ListenerKind = 'light' | 'wrtc';

export type Arrivals = {
  readonly kind: ListenerKind;
  /** How many come to each room. */
  readonly rooms: readonly { readonly roomId: string; readonly people: number }[];
  readonly perSecond: number;
  readonly afterMs: number;
};

export type Calls = { readonly callers: number; readonly talkMs: number };

/** What a process measured. */
export type CrowdFigures = {
  readonly audience: TallyFigures;
  readonly probes: TallyFigures;
  /** People on stages, who hear each other as well. */
  readonly stage: TallyFigures;
  readonly calls: TallyFigures;
  readonly packetsSent: number;
  /** How many microphones put so many milliseconds of sound into a packet. */
  readonly packetMs: Readonly<Record<string, number>>;
  /** Arrivals that were late since too many were on the way. */
  readonly heldBack: number;
  readonly generator: GeneratorFigures;
};

export type CrowdProgress = {
  /** Somebody is on the way in, or a microphone is being opened anew. */
  readonly busy: boolean;
  readonly joined: number;
  readonly heard: number;
  readonly refused: number;
  readonly foreign: string | null;
};

export type CrowdOptions = {
  readonly server: LoadServer;
  /** Guests are numbered over all processes: this one has those from `index` on, every `processes`. */
  readonly index: number;
  readonly processes: number;
};

type TallyName = 'audience' | 'probes' | 'stage' | 'calls';

/** Everybody of the load who is in this process. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #metronome = new Metronome();
  readonly #drops = new UdpDrops();
  readonly #generator = new Generator(this.#metronome, this.#drops);
  readonly #tallies: Readonly<Record<TallyName, Tally>> = {
    audience: new Tally(),
    probes: new Tally(),
    stage: new Tally(),
    calls: new Tally(),
  };
  readonly #ours = new Set<string>();
  readonly #stages: RoomStage[] = [];
  readonly #listeners = { audience: new Set<RoomListener>(), probes: new Set<RoomListener>() };
  readonly #callers = new Set<Caller>();
  readonly #leaving = new AbortController();
  readonly #works = new Set<Promise<void>>();
  #guests = 0;
  #heldBack = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  /** Fills the stage of one room; nobody talks yet. @throws Refused, Error */
  async openRoom(options: StageOptions): Promise<{ readonly roomId: string; readonly userIds: readonly string[] }> {
    const stage = await RoomStage.open(this.#context('stage'), options);
    this.#stages.push(stage);
    const { roomId, userIds } = stage;
    return { roomId, userIds };
  }

  /** These people speak, in this process or another one. */
  know(userIds: readonly string[]): void {
    for (const userId of userIds) this.#ours.add(userId);
  }

  /** Everybody on a stage begins to talk. */
  talk(): void {
    this.#generator.begin();
    for (const { talk } of this.#stages) talk.start();
  }

  /** Opens every microphone anew; `progress` says whether that is done. */
  reopen(): void {
    this.#behind(async () => {
      for (const stage of this.#stages) await stage.reopen().catch((error: unknown) => this.#failed(error));
    });
  }

  /** Lets listeners come; `progress` says whether they are in. */
  arrive({ kind, rooms, perSecond, afterMs }: Arrivals): void {
    const targets = inTurns(rooms);
    const name = kind === 'wrtc' ? 'probes' : 'audience';
    const context = this.#context(name);
    const all = this.#listeners[name];
    this.#behind(async () => {
      const earsOf = await earsFor(kind, context);
      const come = async (number: number): Promise<void> => {
        const roomId = targets[number];
        if (roomId === undefined) return;
        const listener = await RoomListener.join(context, { roomId, ears: earsOf() });
        all.add(listener);
        await (this.#leaving.signal.aborted ? listener.leave() : listener.settled());
      };
      // Whoever is refused is in the tally.
      const arrive = (number: number): Promise<void> => come(number).catch(() => undefined);
      this.#heldBack += await arriveAtPace({ count: targets.length, perSecond, afterMs }, arrive, this.#leaving.signal);
    });
  }

  /** Lets people call each other at random; they go on until `leave`. */
  call({ callers, talkMs }: Calls): void {
    const context = this.#context('calls');
    this.#behind(async () => {
      const { Caller } = await import('./caller.ts');
      const userIds = new Set<string>();
      for (let index = 0; index < callers && !this.#leaving.signal.aborted; index += 1) {
        const caller = await Caller.arrive(context, { talkMs, isOurs: (userId) => userIds.has(userId) });
        userIds.add(caller.userId);
        this.#callers.add(caller);
      }
      for (const caller of this.#callers) await (this.#leaving.signal.aborted ? caller.leave() : caller.search());
    });
  }

  get progress(): CrowdProgress {
    const { audience, probes, stage } = this.#tallies;
    const all = [audience, probes];
    const sum = (name: 'joined' | 'heard' | 'refused'): number =>
      all.reduce((total, { counters }) => total + counters[name], 0);
    return {
      busy: this.#works.size > 0,
      joined: sum('joined'),
      heard: sum('heard'),
      refused: sum('refused'),
      foreign: [...all, stage].find(({ foreign }) => foreign !== null)?.foreign ?? null,
    };
  }

  /** What was measured so far. */
  async figures(): Promise<CrowdFigures> {
    const packetMs: Record<string, number> = {};
    for (const { voice } of this.#stages.flatMap(({ speakers }) => speakers))
      if (voice !== undefined) packetMs[voice.packetMs] = (packetMs[voice.packetMs] ?? 0) + 1;
    const { audience, probes, stage, calls } = this.#tallies;
    const present = (listeners: Iterable<RoomListener>) => [...listeners].map(({ counts }) => counts);
    for (const { ears } of this.#listeners.probes) await ears.settle();
    return {
      audience: audience.figures(present(this.#listeners.audience)),
      probes: probes.figures(present(this.#listeners.probes)),
      stage: stage.figures(present(this.#stages.flatMap(({ speakers }) => speakers.map(({ listener }) => listener)))),
      calls: calls.figures(),
      packetsSent: this.#stages.reduce((total, { talk }) => total + talk.packets, 0),
      packetMs,
      heldBack: this.#heldBack,
      generator: await this.#generator.figures(),
    };
  }

  /** The stages fall silent, so that all that was sent can arrive before it is counted. */
  async hush(): Promise<void> {
    for (const { talk } of this.#stages) talk.stop();
    await wait(settleMs, new AbortController().signal);
  }

  /** Everybody leaves, and everything is closed. Never rejects. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    const inTime = new AbortController();
    await Promise.race([this.#allLeave(), wait(leaveMs, inTime.signal).catch(() => undefined)]);
    inTime.abort();
    this.#generator.close();
  }

  async #allLeave(): Promise<void> {
    const everybody = [
      ...this.#callers,
      ...this.#listeners.probes,
      ...this.#listeners.audience,
      // Those whom the others hear go last.
      ...this.#stages.map((stage) => ({ leave: () => stage.close() })),
    ];
    for (let from = 0; from < everybody.length; from += leaveAtOnce)
      await Promise.all(everybody.slice(from, from + leaveAtOnce).map((one) => one.leave()));
    await Promise.all(this.#works);
  }

  /** What nobody waits for; whatever failed in it is in the tallies. */
  #behind(work: () => Promise<void>): void {
    const working = work()
      .catch(() => undefined)
      .finally(() => this.#works.delete(working));
    this.#works.add(working);
  }

  /** A refusal is in the tally already. */
  #failed(error: unknown): void {
    if (!(error instanceof Refused)) this.#tallies.stage.failed('opening a microphone anew', error);
  }

  #context(name: TallyName): LoadContext {
    const { server, index, processes } = this.#options;
    return {
      server,
      metronome: this.#metronome,
      drops: this.#drops,
      tally: this.#tallies[name],
      nextGuest: () => {
        this.#guests += 1;
        return index + (this.#guests - 1) * processes;
      },
      isOurs: (userId) => this.#ours.has(userId),
    };
  }
}

/** One for each room, then the next for each, until all are in. */
const inTurns = (rooms: Arrivals['rooms']): string[] => {
  const most = Math.max(0, ...rooms.map(({ people }) => people));
  return Array.from({ length: most }, (_, turn) =>
    rooms.filter(({ people }) => people > turn).map(({ roomId }) => roomId),
  ).flat();
};

/** libwebrtc is loaded only where it is asked for. */
const earsFor = async (kind: ListenerKind, context: LoadContext): Promise<() => Ears> => {
  if (kind === 'light') return () => new LightEars(context);
  const { WrtcEars } = await import('./wrtc-ears.ts');
  return () => new WrtcEars(context);
};
