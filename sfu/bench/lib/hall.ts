import { setTimeout as pause } from 'node:timers/promises';
import { Conversation } from '../load/conversation.ts';
import { TimeHistogram } from '../load/histogram.ts';
import { Metronome } from '../load/metronome.ts';
import { sharedMs } from '../load/rtp-clock.ts';
import { OpenVoice, Talk } from '../load/talk.ts';
import type { Cores } from './cores.ts';
import type { Flow, Usage } from './gauge.ts';
import type { TellServer } from './light-peer.ts';
import { Probe } from './probe.ts';
import type { HallSide, Voices } from './side.ts';
import { Sinks } from './sinks.ts';
import { Speaker } from './speakers.ts';
import { seeded, sum } from './statistics.ts';

export type HallOptions = {
  readonly microphones: number;
  /** How many talk at a time. */
  readonly talking: number;
  /** Whether a microphone sends next to nothing while nobody talks into it. */
  readonly dtx: boolean;
  /** Of so many listeners one reads what comes; of the others the system counts it. */
  readonly probeEvery: number;
  readonly cores: Cores | undefined;
};

/** What came of a while of talking. Counts are packets, shares are of what was meant to come. */
export type Window = {
  readonly listeners: number;
  readonly ms: number;
  readonly workerMs: number;
  readonly nodeMs: number;
  /** CPU time of whoever talks, reads and signals here, and of the sinks. */
  readonly loadMs: number;
  readonly forwarded: number;
  /** What left the server for its listeners. */
  readonly sentOn: number;
  /** What of that came to all of them by what the system counted, and to the probes by what they read. */
  readonly arrived: number;
  readonly probesArrived: number;
  /** From mouth to probe, in milliseconds; the time that a packet holds is part of it. */
  readonly latency: { readonly p50: number; readonly p99: number };
  /** Datagrams that found the worker's socket full. */
  readonly lostAtWorker: number;
};

/** How many come in at a time. */
const atOnce = 8;
/** Time for what is on its way to arrive, in milliseconds. */
const settleMs = 400;
/** A conversation that went on for so long is like any other, in milliseconds. */
const underWayMs = 10_000;
/** Every window has the same conversation. */
const conversationSeed = 5;

/** A room with a stage that talks and as many listeners as one likes. */
export class Hall {
  readonly #side: HallSide;
  readonly #options: HallOptions;
  readonly #voices: readonly OpenVoice[];
  readonly #sinks: Sinks;
  readonly #metronome = new Metronome();
  readonly #probes = new Set<Probe>();
  #listeners = 0;

  static async open(side: HallSide, options: HallOptions): Promise<Hall> {
    const sinks = await Sinks.start(options.cores);
    const voices: OpenVoice[] = [];
    for (let index = 0; index < options.microphones; index += 1) {
      const speaker = await Speaker.open(await side.seat('speaker'), 0);
      voices.push(new OpenVoice(speaker, { dtx: options.dtx }));
    }
    return new Hall(side, options, voices, sinks);
  }

  private constructor(side: HallSide, options: HallOptions, voices: readonly OpenVoice[], sinks: Sinks) {
    this.#side = side;
    this.#options = options;
    this.#voices = voices;
    this.#sinks = sinks;
  }

  get listeners(): number {
    return this.#listeners;
  }

  /** Of sound in a packet, as the server asked for. */
  get packetMs(): number {
    return this.#voices[0]?.packetMs ?? 0;
  }

  /** Lets people in until there are so many who listen. Rejects when somebody is refused; those before them stay. */
  async growTo(listeners: number): Promise<void> {
    while (this.#listeners < listeners) {
      const coming = Math.min(atOnce, listeners - this.#listeners);
      const outcomes = await Promise.allSettled(Array.from({ length: coming }, () => this.#letOneIn()));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    }
    await this.#side.settled();
  }

  /** Lets the stage talk for so long. */
  async talk(ms: number): Promise<void> {
    const talk = this.#newTalk();
    talk.start();
    await Promise.all([this.#sinks.sleep(ms + settleMs), pause(ms).then(() => talk.stop())]);
  }

  /** The same, and measures it. It asks every consumer what it has sent, before and after. */
  async measure(ms: number): Promise<Window> {
    const talk = this.#newTalk();
    const latency = new TimeHistogram();
    for (const probe of this.#probes) probe.begin({ latency, jitter: new TimeHistogram() });
    await this.#side.watch();
    const before = await this.#counts();
    const usedBefore = await this.#used();
    const begun = performance.now();
    talk.start();
    await Promise.all([this.#sinks.sleep(ms + settleMs), pause(ms).then(() => talk.stop())]);
    const used = await this.#used();
    const elapsedMs = performance.now() - begun - settleMs;
    const after = await this.#counts();
    const flow = await this.#side.flow();
    return windowOf({
      listeners: this.#listeners,
      ms: elapsedMs,
      sent: talk.packets,
      flow,
      latency,
      probes: [...this.#probes],
      before: { ...before, ...usedBefore },
      after: { ...after, ...used },
    });
  }

  async close(): Promise<void> {
    for (const voice of this.#voices) voice.close();
    for (const probe of this.#probes) probe.close();
    await this.#sinks.end();
  }

  #newTalk(): Talk {
    const random = seeded(conversationSeed);
    const conversation = new Conversation(
      { speakers: this.#options.microphones, talking: this.#options.talking },
      random,
    );
    // It begins in silence, and is under way after a while.
    conversation.at(sharedMs() - underWayMs);
    return new Talk(
      this.#voices.map((voice) => ({ voice })),
      conversation,
      this.#metronome,
    );
  }

  async #letOneIn(): Promise<void> {
    const reads = this.#listeners % this.#options.probeEvery === 0;
    this.#listeners += 1;
    let close: (() => void) | undefined;
    try {
      await this.#side.letIn(async (voices, tellServer) => {
        const connected = reads ? await this.#probe(voices, tellServer) : await this.#sink(voices, tellServer);
        close?.();
        close = connected;
      });
    } catch (error) {
      this.#listeners -= 1;
      throw error;
    }
  }

  async #probe(voices: Voices, tellServer: TellServer): Promise<() => void> {
    const probe = new Probe(voices);
    await probe.connect(tellServer);
    this.#probes.add(probe);
    return () => {
      this.#probes.delete(probe);
      probe.close();
    };
  }

  async #sink({ transport }: Voices, tellServer: TellServer): Promise<() => void> {
    await this.#sinks.connect(transport, tellServer);
    return () => this.#sinks.close(transport.transportId);
  }

  async #counts(): Promise<Counted> {
    return { datagrams: await this.#sinks.datagrams(), lostAtWorker: (await this.#side.lostDatagrams()) ?? 0 };
  }

  async #used(): Promise<Used> {
    const usage = await this.#side.usage();
    const { user, system } = process.cpuUsage();
    return { usage, loadMs: (user + system) / 1000 + (await this.#sinks.usedMs()) };
  }
}

type Counted = { readonly datagrams: number; readonly lostAtWorker: number };
type Used = { readonly usage: Usage; readonly loadMs: number };

type Measured = {
  readonly listeners: number;
  readonly ms: number;
  readonly sent: number;
  readonly flow: Flow;
  readonly latency: TimeHistogram;
  readonly probes: readonly Probe[];
  readonly before: Counted & Used;
  readonly after: Counted & Used;
};

const windowOf = ({ listeners, ms, sent, flow, latency, probes, before, after }: Measured): Window => {
  const { received, relayed, relayReceived, forwarded, expected: wanted } = flow;
  const read = sum(probes.map(({ counts }) => counts.received));
  const expected = sum(probes.map(({ counts }) => counts.expected));
  // The sinks are sent as many reports (RTCP) for a packet as the probes, which tell them apart.
  const reported = 1 + (read === 0 ? 0 : sum(probes.map(({ reports }) => reports)) / read);
  const sunk = (after.datagrams - before.datagrams) / reported;
  return {
    listeners,
    ms,
    workerMs: after.usage.workerMs - before.usage.workerMs,
    nodeMs: after.usage.nodeMs - before.usage.nodeMs,
    loadMs: after.loadMs - before.loadMs,
    forwarded,
    sentOn: (received / sent) * (relayed === 0 ? 1 : relayReceived / relayed) * (forwarded / wanted),
    arrived: (sunk + read) / forwarded,
    probesArrived: expected === 0 ? Number.NaN : read / expected,
    latency: { p50: latency.quantile(0.5) ?? Number.NaN, p99: latency.quantile(0.99) ?? Number.NaN },
    lostAtWorker: after.lostAtWorker - before.lostAtWorker,
  };
};
