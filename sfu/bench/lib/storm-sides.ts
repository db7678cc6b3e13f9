import { setTimeout as pause } from 'node:timers/promises';
import { everybodyTalks } from '../load/conversation.ts';
import { arriveAtPace, type Pace } from '../load/pace.ts';
import { RoomStage } from '../load/room-stage.ts';
import { Attendee } from './attendee.ts';
import type { BareSide } from './bare-side.ts';
import type { Usage } from './gauge.ts';
import { LightPeer } from './light-peer.ts';
import type { Measured } from './measured.ts';
import { peopleOf } from './people.ts';
import type { RostrumProcess } from './rostrum-process.ts';
import { signIn } from './rostrum-side.ts';
import { Conversation, Speaker } from './speakers.ts';

/** What a storm came to. Times are in milliseconds, of each who got in. */
export type Storm = {
  /** From the command by which they listen: until it was answered, and until the first packet. */
  readonly answeredMs: readonly number[];
  readonly heardMs: readonly number[];
  /** From when they were to arrive, until the first packet: whoever is held back waits too. */
  readonly wholeMs: readonly number[];
  readonly failed: number;
  readonly failures: readonly string[];
  readonly heldBack: number;
  readonly ms: number;
  readonly used: Usage;
  readonly loadMs: number;
};

export type StormSide = {
  readonly name: 'Rostrum' | 'bare mediasoup';
  /** Lets people come at this pace, and sends them away again when the last one hears. */
  storm(pace: Pace): Promise<Storm>;
  close(): Promise<void>;
};

/** Somebody who hears. */
type Arrived = {
  readonly answeredMs: number;
  readonly heardMs: number;
  readonly wholeMs: number;
  leave(): Promise<void>;
};

/** Longest that somebody waits for a first packet, and that leaving takes, in milliseconds. */
const patienceMs = 20_000;
const lookMs = 50;

export const rostrumStorm = async (
  server: RostrumProcess,
  { people, speakers }: { readonly people: number; readonly speakers: number },
): Promise<StormSide> => {
  const { url } = server;
  const source = everybodyTalks(speakers);
  const context = await peopleOf(url);
  const stage = await RoomStage.open(context, {
    speakers,
    talking: speakers,
    listeners: people,
    source,
    anyoneCanSpeak: speakers > 1,
  });
  const { roomId, talk } = stage;
  const arrive = async (due: number): Promise<Arrived> => {
    const at = { connected: 0, answered: 0 };
    const peers: LightPeer[] = [];
    const attendee = new Attendee({
      url,
      pass: await signIn(url),
      roomId,
      connect: async ({ transport }, tellServer) => {
        const peer = new LightPeer(transport);
        peers.push(peer);
        await peer.connect(tellServer);
        // Who is moved as the room grows hears by the new one alone.
        for (const before of peers.splice(0, peers.indexOf(peer))) before.close();
      },
      failed: () => undefined,
      reached: (stage) => {
        at[stage] = performance.now();
      },
    });
    const leave = async (): Promise<void> => {
      await attendee.leave();
      for (const peer of peers) peer.close();
    };
    try {
      await attendee.enter();
      const heardAt = await firstPacketAt(peers[0]);
      const { connected, answered } = at;
      return { answeredMs: answered - connected, heardMs: heardAt - connected, wholeMs: heardAt - due, leave };
    } catch (error) {
      await leave().catch(() => undefined);
      throw error;
    }
  };
  return {
    name: 'Rostrum',
    storm: (pace) => blow(server, { pace, arrive, talk }),
    close: () => stage.close(),
  };
};

export const bareStorm = async (side: BareSide, { speakers }: { readonly speakers: number }): Promise<StormSide> => {
  const voices: Speaker[] = [];
  while (voices.length < speakers) voices.push(await Speaker.open(await side.seat('speaker'), 80));
  const talk = new Conversation(voices);
  const arrive = async (due: number): Promise<Arrived> => {
    const seat = await side.seat('listener');
    const begun = performance.now();
    const { transport } = await seat.listen();
    const answeredMs = performance.now() - begun;
    const peer = new LightPeer(transport);
    await peer.connect((dtls) => seat.connectTransport(peer.transportId, dtls));
    const heardAt = await firstPacketAt(peer);
    return {
      answeredMs,
      heardMs: heardAt - begun,
      wholeMs: heardAt - due,
      leave: async () => {
        peer.close();
        await seat.leave();
      },
    };
  };
  return {
    name: 'bare mediasoup',
    storm: (pace) => blow(side, { pace, arrive, talk }),
    close: async () => talk.close(),
  };
};

/** Rejects when nothing comes for a while. */
const firstPacketAt = async (peer: LightPeer | undefined): Promise<number> => {
  const patience = setTimeout(() => peer?.close(), patienceMs);
  try {
    if (peer === undefined) throw new Error('nothing was connected');
    return await peer.firstPacketAt;
  } finally {
    clearTimeout(patience);
  }
};

type Weather = {
  readonly pace: Pace;
  /** `due` is when they were to come. Rejects when they do not get in. */
  readonly arrive: (due: number) => Promise<Arrived>;
  readonly talk: { start(): void; stop(): void };
};

const blow = async (server: Measured, { pace, arrive, talk }: Weather): Promise<Storm> => {
  const before = await server.transports();
  const inside: Arrived[] = [];
  const failures: string[] = [];
  talk.start();
  const used = await server.usage();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const heldBack = await arriveAtPace(
    pace,
    async (number) => {
      const due = begun + pace.afterMs + (1000 * number) / pace.perSecond;
      try {
        inside.push(await arrive(due));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    },
    new AbortController().signal,
  );
  const ms = performance.now() - begun;
  const after = await server.usage();
  const { user, system } = process.cpuUsage(cpu);
  talk.stop();
  await Promise.all(inside.map((one) => one.leave()));
  await untilLeft(server, before);
  return {
    answeredMs: inside.map(({ answeredMs }) => answeredMs),
    heardMs: inside.map(({ heardMs }) => heardMs),
    wholeMs: inside.map(({ wholeMs }) => wholeMs),
    failed: failures.length,
    failures: failures.slice(0, 3),
    heldBack,
    ms,
    used: { nodeMs: after.nodeMs - used.nodeMs, workerMs: after.workerMs - used.workerMs },
    loadMs: (user + system) / 1000,
  };
};

/** A relay between routers is let go of a little after the last listener, which are two transports of a few hundred. */
const stay = 4;

const untilLeft = async (server: Measured, transports: number): Promise<void> => {
  const begun = performance.now();
  while ((await server.transports()) > transports + stay) {
    if (performance.now() - begun > patienceMs) throw new Error('the server keeps transports of people who left');
    await pause(lookMs);
  }
};
