/**
 * A process with Rostrum's media plane and one room, whose gate is watched: what of each microphone comes to the stage, what an
 * audience is sent by Rostrum, and what it would be sent if the same gate went by mediasoup's AudioLevelObserver. The packets of
 * all three are the same, at the same time.
 */
import { defaultLimits } from '@rostrum/shared/limits.ts';
import type { ClientDtlsParameters, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { Result } from '@rostrum/shared/result.ts';
import { observer, type types } from 'mediasoup';
import type { MicrophoneState, SeatRef } from '../../src/media/media-plane.ts';
import { createMediaPlane } from '../../src/media/mediasoup-plane.ts';
import { levelIn } from '../../src/media/rtp-level.ts';
import { StageGate } from '../../src/media/stage-gate.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { freePort } from '../../test/support/free-port.ts';
import { countRequests } from './channel-requests.ts';
import { serveParent } from './child.ts';
import type { GateRecord, SwitchCost, SwitchCosts } from './gate-side.ts';
import { Gauge } from './gauge.ts';

const workers = Number(process.env['BENCH_WORKERS']);
const port = await freePort(workers);
const gauge = new Gauge();
const requests = countRequests();

/** A producer, and whether it came over a relay; else it is a person's. */
type Source = { readonly router: types.Router; readonly isRelayed: boolean };
const producers = new Map<types.Producer, Source>();
/** What carries a voice from the stage to an audience, at the sending end. */
const relayed = new Set<types.Consumer>();
observer.on('newworker', (worker) =>
  worker.observer.on('newrouter', (router) => {
    router.observer.on('newtransport', (transport) => {
      transport.observer.on('newproducer', (producer) => {
        producers.set(producer, { router, isRelayed: transport.type === 'pipe' });
        producer.observer.once('close', () => producers.delete(producer));
      });
      if (transport.type !== 'pipe') return;
      transport.observer.on('newconsumer', (consumer) => {
        relayed.add(consumer);
        consumer.observer.once('close', () => relayed.delete(consumer));
      });
    });
  }),
);

const limits = {
  ...defaultLimits,
  // The audience here has consumers and no connection: it costs a switch what any audience does, and a packet nothing.
  mediaIdleMs: 3_600_000,
  packetsPerWorker: 10_000_000,
  roomMaxParticipants: 10_000,
};
const nothing = () => undefined;
const plane = await createMediaPlane(
  { limits, logger: createPino('error'), workers, mediaPort: port, mediaAddresses: ['127.0.0.1'] },
  {
    consumersAdded: nothing,
    consumersRemoved: nothing,
    unpublished: nothing,
    speakingChanged: nothing,
    mediaLost: nothing,
    relisten: nothing,
  },
);

/** One room at a time, with the people on its stage by number. */
let room = {
  roomId: newId(),
  version: 0,
  stage: new Map<number, SeatRef>(),
  microphones: new Map<string, MicrophoneState>(),
};
let packetMs = 20;

const accepted = <Value>(result: Result<Value>): Value => {
  if (!result.ok) throw new Error(`media refused: ${result.refusal.code}`);
  return result.value;
};

const follow = (): Promise<void> => {
  room.version += 1;
  const { roomId, version, stage, microphones } = room;
  return plane.reconcile({
    roomId,
    version,
    audioQuality: 'medium',
    stage: new Map([...stage.values()].map(({ userId, sessionId }) => [userId, { sessionId }])),
    microphones: new Map(microphones),
  });
};

const seatOf = (person: number): SeatRef => {
  const seat = room.stage.get(person) ?? { roomId: room.roomId, userId: newId(), sessionId: newId() };
  room.stage.set(person, seat);
  return seat;
};

const publish = async ({ person }: { person: number }) => {
  const opened = accepted(await plane.publish(seatOf(person)));
  return { ...opened, packetMs };
};

type Connecting = { person: number; transportId: string; dtlsParameters: ClientDtlsParameters };

/** mediasoup-client leaves a role out by saying that it is undefined. */
const dtlsParametersOf = ({ role, fingerprints }: ClientDtlsParameters): ClientDtlsParameters => ({
  fingerprints,
  ...(role === undefined ? {} : { role }),
});

const connect = async ({ person, transportId, dtlsParameters }: Connecting): Promise<void> => {
  accepted(await plane.connect(seatOf(person), transportId, dtlsParametersOf(dtlsParameters)));
};

type Producing = { person: number; transportId: string; rtpParameters: MicrophoneRtpParameters };

const produce = async ({ person, transportId, rtpParameters }: Producing): Promise<{ producerId: string }> => {
  const seat = seatOf(person);
  const { producerId } = accepted(await plane.produce(seat, { transportId, rtpParameters }));
  const { userId, sessionId } = seat;
  room.microphones.set(userId, { userId, sessionId, producerId, muted: false });
  await follow();
  return { producerId };
};

/** Lets so many listen from the audience, over transports that they do not connect. */
const letIn = async ({ listeners }: { listeners: number }): Promise<void> => {
  for (let count = 0; count < listeners; count += 1) {
    const seat = { roomId: room.roomId, userId: newId(), sessionId: newId() };
    accepted(await plane.listen(seat, { onStage: false }));
  }
};

/** Somebody of the audience who is really there. */
const listener: SeatRef = { roomId: '', userId: newId(), sessionId: newId() };

const listen = async () => accepted(await plane.listen({ ...listener, roomId: room.roomId }, { onStage: false }));

const connectListener = async ({ transportId, dtlsParameters }: Omit<Connecting, 'person'>): Promise<void> => {
  accepted(await plane.connect({ ...listener, roomId: room.roomId }, transportId, dtlsParametersOf(dtlsParameters)));
};

/** Ends the room, and begins another one whose microphones will have packets of this length. */
const begin = async (next: { packetMs: number }): Promise<void> => {
  plane.closeRoom(room.roomId);
  packetMs = next.packetMs;
  room = { roomId: newId(), version: 0, stage: new Map(), microphones: new Map() };
};

/** Producers at the stage, or at the far end of the relays; an audience may be on several routers, of which one is taken. */
const sources = (isRelayed: boolean): { readonly router: types.Router; readonly producers: types.Producer[] } => {
  const all = [...producers].filter(([, source]) => source.isRelayed === isRelayed);
  const router = all[0]?.[1].router;
  if (router === undefined) throw new Error('the room is not split');
  return { router, producers: all.flatMap(([producer, source]) => (source.router === router ? [producer] : [])) };
};

type Recording = {
  readonly record: GateRecord;
  readonly transports: readonly types.Transport[];
  readonly end: () => void;
};
let recording: Recording | undefined;

const audioLevelUri = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

/** Reads the packets of a producer from now on: their RTP timestamps, which no router changes, and their levels. */
const read = async (
  transport: types.Transport,
  router: types.Router,
  producer: types.Producer,
  paused: boolean,
): Promise<{ readonly consumer: types.Consumer; readonly packets: [timestamp: number, dBov: number][] }> => {
  const packets: [number, number][] = [];
  const { id: producerId } = producer;
  const consumer = await transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities, paused });
  const extension = consumer.rtpParameters.headerExtensions?.find(({ uri }) => uri === audioLevelUri)?.id ?? 0;
  consumer.on('rtp', (packet) => packets.push([packet.readUInt32BE(4), levelIn(packet, extension) ?? 1]));
  return { consumer, packets };
};

/** The gate as it is, told what the observer measures, about four times a second: what it would be without reading packets. */
const observeGate = async (
  router: types.Router,
  consumers: ReadonlyMap<string, types.Consumer>,
  record: GateRecord,
): Promise<() => void> => {
  const level = await router.createAudioLevelObserver({ maxEntries: 30, threshold: -127, interval: 250 });
  for (const producerId of consumers.keys()) await level.addProducer({ producerId });
  const { gateVoices: voices, gateOnDbov: onDbov, gateHoldMs: holdMs } = limits;
  const gate = new StageGate({ voices, onDbov, holdMs }, (producerId, isOpen) => {
    const consumer = consumers.get(producerId);
    if (isOpen) record.observed.switches += 1;
    void (isOpen ? consumer?.resume() : consumer?.pause())?.catch(nothing);
  });
  gate.follow(new Set(consumers.keys()));
  record.observed.switches = 0;
  level.on('volumes', (volumes) => {
    for (const { producer, volume } of volumes) gate.heard(producer.id, volume, performance.now());
  });
  return () => level.close();
};

/** Begins to record what comes to the stage, and what goes to an audience. */
const record = async (): Promise<void> => {
  const stage = sources(false);
  const audience = sources(true);
  const atStage = await stage.router.createDirectTransport();
  const atAudience = await audience.router.createDirectTransport();
  const begun: GateRecord = { stage: [], gated: [], observed: { packets: [], switches: 0 }, switches: 0 };
  const held = new Map<string, types.Consumer>();
  for (const producer of stage.producers) {
    const whole = await read(atStage, stage.router, producer, false);
    const observed = await read(atStage, stage.router, producer, true);
    begun.stage.push({ producerId: producer.id, packets: whole.packets });
    begun.observed.packets.push(observed.packets);
    held.set(producer.id, observed.consumer);
  }
  for (const producer of audience.producers)
    begun.gated.push((await read(atAudience, audience.router, producer, false)).packets);
  const end = await observeGate(stage.router, held, begun);
  begun.switches = -plane.figures().gateSwitches;
  recording = { record: begun, transports: [atStage, atAudience], end };
};

/** Ends it, and answers with what was recorded. A switch at one router is a voice that is let in, or one that is taken out. */
const recorded = (): GateRecord => {
  if (recording === undefined) throw new Error('nothing is being recorded');
  const { record: ended, transports, end } = recording;
  recording = undefined;
  end();
  for (const transport of transports) transport.close();
  ended.switches += plane.figures().gateSwitches;
  return ended;
};

/** What it costs to do this so often, one after the other as a gate does. */
const costOf = async (times: number, act: (index: number) => Promise<unknown>): Promise<SwitchCost> => {
  const before = await gauge.usage();
  const { requests: asked, notifications } = requests;
  for (let index = 0; index < times; index += 1) await act(index);
  const done = { requests: requests.requests - asked, notifications: requests.notifications - notifications };
  const after = await gauge.usage();
  return {
    requests: done.requests / times,
    notifications: done.notifications / times,
    nodeUs: (1000 * (after.nodeMs - before.nodeMs)) / times,
    workerUs: (1000 * (after.workerMs - before.workerMs)) / times,
  };
};

/** Switches one voice off and another one on, at the sending end of the relays as the gate does, or at its far end as a pause does that is mirrored. */
const switchCosts = async ({ times }: { times: number }): Promise<SwitchCosts> => {
  const near = [...relayed];
  const far = sources(true).producers;
  const turn =
    (ends: readonly { pause(): Promise<void>; resume(): Promise<void> }[]) =>
    async (index: number): Promise<void> => {
      const [one, other] = index % 2 === 0 ? [ends[0], ends[1]] : [ends[1], ends[0]];
      await Promise.all([one?.resume(), other?.pause()]);
    };
  return { gate: await costOf(times, turn(near)), mirrored: await costOf(times, turn(far)) };
};

serveParent(
  { port },
  {
    begin,
    publish,
    connect,
    produce,
    letIn,
    listen,
    connectListener,
    record,
    recorded,
    switchCosts,
    counts: () => {
      const { gateSwitches, audienceRouters } = plane.figures();
      return { switches: gateSwitches, switchRequests: requests.switching, audienceRouters };
    },
  },
  () => plane.close(),
);
