import type { LoadContext } from '../load/context.ts';
import { Conversation } from '../load/conversation.ts';
import { LightEars } from '../load/ears.ts';
import type { TimeHistogram } from '../load/histogram.ts';
import type { MediaCounts } from '../load/listener-stats.ts';
import { RoomListener } from '../load/room-listener.ts';
import { RoomStage } from '../load/room-stage.ts';
import { OpenVoice, Talk } from '../load/talk.ts';
import type { BareSide } from './bare-side.ts';
import { lostDatagrams } from './lost-datagrams.ts';
import type { Measured } from './measured.ts';
import { peopleOf } from './people.ts';
import type { RostrumProcess } from './rostrum-process.ts';
import { Speaker } from './speakers.ts';
import { seeded, sum } from './statistics.ts';

/** Each room has so many people with a microphone, one of whom talks at a time, and so many who only listen. */
export type RoomsShape = { readonly rooms: number; readonly speakers: number; readonly listeners: number };

/** A server with many rooms, in all of which people talk or are silent at the same time. */
export type ManyRooms = {
  readonly name: 'Rostrum' | 'bare mediasoup';
  readonly server: Measured;
  /** Datagrams that found the worker's socket full, so far. */
  lostAtWorker(): Promise<number>;
  start(): void;
  stop(): void;
  /** Packets that microphones sent, and that listeners received, so far. */
  sent(): number;
  received(): number;
  /** From mouth to listener. */
  readonly latency: TimeHistogram;
  close(): Promise<void>;
};

/** Rooms that are opened at a time. */
const atOnce = 4;

const inTurns = async <Room>(count: number, open: (index: number) => Promise<Room>): Promise<Room[]> => {
  const all: Room[] = [];
  while (all.length < count) {
    const coming = Math.min(atOnce, count - all.length);
    all.push(...(await Promise.all(Array.from({ length: coming }, (_, index) => open(all.length + index)))));
  }
  return all;
};

export const rostrumRooms = async (server: RostrumProcess, shape: RoomsShape): Promise<ManyRooms> => {
  const context = await peopleOf(server.url);
  const rooms = await inTurns(shape.rooms, (index) => rostrumRoom(context, shape, index));
  const lostAtWorker = async () => (await lostDatagrams(server.mediaPort)) ?? 0;
  return manyRooms({ name: 'Rostrum', server, lostAtWorker, latency: context.tally.times.latency }, rooms);
};

export const bareRooms = async (server: BareSide, shape: RoomsShape): Promise<ManyRooms> => {
  const context = await peopleOf('http://127.0.0.1');
  const rooms = await inTurns(shape.rooms, (index) => bareRoom(server, context, { ...shape, index }));
  const lostAtWorker = async () => (await server.lostDatagrams()) ?? 0;
  return manyRooms({ name: 'bare mediasoup', server, lostAtWorker, latency: context.tally.times.latency }, rooms);
};

type OneRoom = {
  readonly talk: Talk;
  readonly everybody: readonly { readonly counts: MediaCounts }[];
  close(): Promise<void>;
};

const manyRooms = (
  about: Pick<ManyRooms, 'name' | 'server' | 'lostAtWorker' | 'latency'>,
  rooms: readonly OneRoom[],
): ManyRooms => ({
  ...about,
  start: () => {
    for (const { talk } of rooms) talk.start();
  },
  stop: () => {
    for (const { talk } of rooms) talk.stop();
  },
  sent: () => sum(rooms.map(({ talk }) => talk.packets)),
  received: () => sum(rooms.flatMap(({ everybody }) => everybody.map(({ counts }) => counts.received))),
  close: async () => {
    for (const room of rooms) await room.close();
  },
});

const rostrumRoom = async (
  context: LoadContext,
  { speakers, listeners }: RoomsShape,
  index: number,
): Promise<OneRoom> => {
  const source = new Conversation({ speakers, talking: 1 }, seeded(index));
  const stage = await RoomStage.open(context, {
    speakers,
    talking: 1,
    listeners,
    source,
    anyoneCanSpeak: speakers > 1,
  });
  const all: RoomListener[] = [];
  while (all.length < listeners)
    all.push(await RoomListener.join(context, { roomId: stage.roomId, ears: new LightEars(context) }));
  await Promise.all(all.map((listener) => listener.settled()));
  return {
    talk: stage.talk,
    everybody: [...all, ...stage.speakers.map(({ listener }) => listener)],
    close: async () => {
      await Promise.all(all.map((listener) => listener.leave()));
      await stage.close();
    },
  };
};

const bareRoom = async (
  server: BareSide,
  context: LoadContext,
  { speakers, listeners, index }: RoomsShape & { readonly index: number },
): Promise<OneRoom> => {
  const onStage = Array.from({ length: speakers }, () => server.seatIn(index));
  const voices: OpenVoice[] = [];
  for (const seat of onStage) voices.push(new OpenVoice(await Speaker.open(seat, 0)));
  const ears: LightEars[] = [];
  const open: { close(): void }[] = [];
  for (const seat of [...onStage, ...Array.from({ length: listeners }, () => server.seatIn(index))]) {
    const hears = new LightEars(context);
    const ear = hears.open(await seat.listen());
    await ear.connect((dtls) => seat.connectTransport(ear.transportId, dtls));
    ears.push(hears);
    open.push(ear);
  }
  const source = new Conversation({ speakers, talking: 1 }, seeded(index));
  const talk = new Talk(
    voices.map((voice) => ({ voice })),
    source,
    context.metronome,
  );
  return {
    talk,
    everybody: ears,
    close: async () => {
      talk.stop();
      for (const one of [...voices, ...open]) one.close();
    },
  };
};
