import { isDeepStrictEqual } from 'node:util';
import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import type { Result } from '@rostrum/shared/result.ts';
import * as mediasoup from 'mediasoup';
import type { LostMedia, MediaEvents, MediaPlane, MicrophoneState, SeatRef } from '../../src/media/media-plane.ts';
import { createMediaPlane, type MediaPlaneOptions } from '../../src/media/mediasoup-plane.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { freePort } from '../support/free-port.ts';
import { type PeerOptions, WrtcPeer } from '../support/wrtc-peer.ts';

/** Asks again and again until it is so, or fails after so many milliseconds with what it was at last. */
export const until = async <T>(
  what: string,
  ask: () => T | Promise<T>,
  withinMs = 10_000,
): Promise<NonNullable<Exclude<T, false>>> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as NonNullable<Exclude<T, false>>;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The value of a success; a refusal is thrown, by its code. */
export const valueFrom = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(result.refusal.code);
  return result.value;
};

export const codeOf = (result: Result<unknown>): string => (result.ok ? 'ok' : result.refusal.code);

/** What a browser would send of a microphone, where no packet has to flow. */
export const microphone = (ssrc: number): MicrophoneRtpParameters => ({
  mid: '0',
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: { minptime: 10, useinbandfec: 1, usedtx: 1 },
      rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
    },
  ],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }],
  encodings: [{ ssrc, dtx: true }],
  rtcp: { cname: 'chosen by the client', reducedSize: true },
});

/**
 * Does something, and fails unless every packet that came from this speaker meanwhile went out to each of these listeners, over one
 * transport or the other while it was connected. Packets are known by their RTP timestamps, which no router changes.
 */
export const withoutGap = async (
  listeners: readonly Person[],
  speaker: Person,
  act: () => Promise<unknown>,
): Promise<void> => {
  const { node, room, userId } = speaker;
  const came = await node.packetsOf(room.microphones.get(userId)?.producerId ?? '');
  const went = new Map(listeners.map((listener) => [listener, new Set<number>()]));
  const traced = new Set<string>();
  const trace = async () => {
    for (const [listener, packets] of went) {
      for (const consumerId of listener.peer.consumerIdsOf(userId).filter((id) => !traced.has(id))) {
        traced.add(consumerId);
        await listener.node.packetsOf(consumerId, packets);
      }
    }
  };
  await trace();
  await until('a packet goes to each of them', () => [...went.values()].every(({ size }) => size > 0));
  const tracing = setInterval(() => void trace(), 5);
  try {
    await act();
    await pause(100);
  } finally {
    clearInterval(tracing);
  }
  const missed = [...went.values()].map((packets) => {
    const [first, last] = [Math.min(...packets), Math.max(...packets)];
    return [...came].filter((packet) => packet >= first && packet <= last && !packets.has(packet)).length;
  });
  const few = [...went.values()].filter(({ size }) => size < came.size / 2).length;
  if (missed.some((count) => count > 0) || few > 0)
    throw new Error(`of ${came.size} packets listeners missed ${missed}, and ${few} had less than half`);
};

/** Everything that media told, as the server would tell it on. */
export type Told = { [name in keyof MediaEvents]: Parameters<MediaEvents[name]>[] };

/** What mediasoup made in this process: routers and what is on them by their worker, as there may be several planes. */
type Made = {
  readonly workers: Set<mediasoup.types.Worker>;
  readonly routers: Map<mediasoup.types.Router, mediasoup.types.Worker>;
  readonly transports: Map<mediasoup.types.Transport, mediasoup.types.Worker>;
  readonly producers: Map<mediasoup.types.Producer, mediasoup.types.Worker>;
  readonly consumers: Map<mediasoup.types.Consumer, mediasoup.types.Worker>;
  readonly observers: Set<{ readonly closed: boolean }>;
  /** Those of the transports and consumers that lead to this process, to measure levels. */
  readonly measuring: Map<mediasoup.types.Transport | mediasoup.types.Consumer, mediasoup.types.Worker>;
  /** Those of the producers and consumers whose packets go over a pipe, with its end here. */
  readonly piped: Map<mediasoup.types.Producer | mediasoup.types.Consumer, mediasoup.types.PipeTransport>;
};

const isPipe = (transport: mediasoup.types.Transport): transport is mediasoup.types.PipeTransport =>
  transport.type === 'pipe';

/** What leads to another machine is encrypted; what leads to another worker is not. */
const isBetweenNodes = ({ srtpParameters }: mediasoup.types.PipeTransport): boolean => srtpParameters !== undefined;

const watch = (router: mediasoup.types.Router, worker: mediasoup.types.Worker, made: Made): void => {
  made.routers.set(router, worker);
  router.observer.on('newrtpobserver', (observer) => made.observers.add(observer));
  router.observer.on('newtransport', (transport) => {
    made.transports.set(transport, worker);
    if (transport.type === 'direct') made.measuring.set(transport, worker);
    transport.observer.on('newproducer', (producer) => {
      made.producers.set(producer, worker);
      if (isPipe(transport)) made.piped.set(producer, transport);
    });
    transport.observer.on('newconsumer', (consumer) => {
      made.consumers.set(consumer, worker);
      if (isPipe(transport)) made.piped.set(consumer, transport);
      if (transport.type === 'direct') made.measuring.set(consumer, worker);
    });
  });
};

/** A media plane with real workers, the rooms on it, and what it told. Knows mediasoup's workers, to look behind it. */
export class Rig {
  readonly plane: MediaPlane;
  readonly port: number;
  readonly told: Told;
  /** The name among other nodes; undefined for one alone. */
  readonly node: string | undefined;
  readonly #made: Made;
  readonly #rooms: Map<string, TestRoom>;

  private constructor(parts: Pick<Rig, 'plane' | 'port' | 'told' | 'node'>, made: Made, rooms: Map<string, TestRoom>) {
    this.plane = parts.plane;
    this.port = parts.port;
    this.told = parts.told;
    this.node = parts.node;
    this.#made = made;
    this.#rooms = rooms;
  }

  static async start(
    options: Omit<Partial<MediaPlaneOptions>, 'limits'> & { limits?: Partial<Limits> } = {},
  ): Promise<Rig> {
    const told: Told = {
      consumersAdded: [],
      consumersRemoved: [],
      unpublished: [],
      speakingChanged: [],
      mediaLost: [],
      relisten: [],
    };
    const rooms = new Map<string, TestRoom>();
    const made: Made = {
      workers: new Set(),
      routers: new Map(),
      transports: new Map(),
      producers: new Map(),
      consumers: new Map(),
      observers: new Set(),
      piped: new Map(),
      measuring: new Map(),
    };
    mediasoup.observer.on('newworker', (worker) => {
      made.workers.add(worker);
      worker.observer.on('newrouter', (router) => watch(router, worker, made));
    });
    const port = options.mediaPort ?? (await freePort(options.workers ?? 1));
    const plane = await createMediaPlane(
      {
        logger: createPino(process.env['TEST_LOG'] ?? 'silent'),
        workers: 1,
        mediaPort: port,
        mediaAddresses: ['127.0.0.1'],
        relayPorts: { min: 43_000, max: 43_999 },
        ...options,
        limits: { ...defaultLimits, ...options.limits },
      },
      {
        consumersAdded: (voices) => {
          told.consumersAdded.push([voices]);
          rooms.get(voices.seat.roomId)?.person(voices.seat)?.added(voices);
        },
        consumersRemoved: (seat, consumerIds) => {
          told.consumersRemoved.push([seat, consumerIds]);
          rooms.get(seat.roomId)?.person(seat)?.peer.dropVoices(consumerIds);
        },
        unpublished: (seat, producerId) => {
          told.unpublished.push([seat, producerId]);
          rooms.get(seat.roomId)?.person(seat)?.peer.stopSpeaking();
        },
        speakingChanged: (roomId, userIds) => told.speakingChanged.push([roomId, userIds]),
        mediaLost: (roomId, lost) => {
          told.mediaLost.push([roomId, lost]);
          rooms.get(roomId)?.lost(lost);
        },
        relisten: (seat, withinMs) => {
          told.relisten.push([seat, withinMs]);
          rooms.get(seat.roomId)?.person(seat)?.toldToListen();
        },
      },
    );
    return new Rig({ plane, port, told, node: options.self }, made, rooms);
  }

  room(quality: RoomSettings['audioQuality'] = 'medium'): TestRoom {
    const room = new TestRoom([this], quality);
    this.attend(room);
    return room;
  }

  /** Listens as the use cases have it: whoever the room has on its stage listens from there. */
  listen(seat: SeatRef): ReturnType<MediaPlane['listen']> {
    const onStage = this.#rooms.get(seat.roomId)?.stage.get(seat.userId)?.sessionId === seat.sessionId;
    return this.plane.listen(seat, { onStage });
  }

  /** Tells the people of this room what the plane tells. */
  attend(room: TestRoom): void {
    this.#rooms.set(room.roomId, room);
  }

  /** The workers of this plane that run. */
  get workers(): mediasoup.types.Worker[] {
    const pids = new Set(this.plane.load().map(({ pid }) => pid));
    return [...this.#made.workers].filter(({ pid }) => pids.has(pid));
  }

  /** The RTP timestamps of the packets that come to a producer, or go out to a consumer, from now on. */
  async packetsOf(id: string, packets = new Set<number>()): Promise<Set<number>> {
    const note = ({ info }: { info: { [name: string]: unknown } }) => {
      const packet = info['rtpPacket'] as { timestamp: number };
      packets.add(packet.timestamp);
    };
    const producer = this.producers().find((thing) => thing.id === id);
    producer?.on('trace', note);
    const consumer = this.consumers().find((thing) => thing.id === id);
    consumer?.on('trace', note);
    // It may close this moment.
    await (producer ?? consumer)?.enableTraceEvent(['rtp']).catch(() => undefined);
    return packets;
  }

  /** The pid of the worker at which this person listens. */
  servedBy({ peer }: Person): number | undefined {
    return this.workerOfTransport(peer.receivingId);
  }

  /** The pid of the worker on which a transport is, or was. */
  workerOfTransport(transportId: string | undefined): number | undefined {
    const [, worker] = [...this.#made.transports].find(([{ id }]) => id === transportId) ?? [];
    return worker?.pid;
  }

  /** The pid of the worker on which a producer is. */
  workerOf(producer: mediasoup.types.Producer | undefined): number | undefined {
    return producer && this.#made.producers.get(producer)?.pid;
  }

  openRouters(): mediasoup.types.Router[] {
    return this.#open(this.#made.routers);
  }

  /** The open microphones, as mediasoup knows them in this process. */
  producers(): mediasoup.types.Producer[] {
    return this.#open(this.#made.producers);
  }

  /** Has the worker's word for it that a client connected to this transport, or closed it; no packet flows. */
  pretend(transportId: string | undefined, dtlsState: 'connected' | 'closed'): void {
    const transports = this.#open(this.#made.transports);
    const transport = transports.find(({ id }) => id === transportId);
    if (transport?.type === 'webrtc') (transport as mediasoup.types.WebRtcTransport).emit('dtlsstatechange', dtlsState);
  }

  transportIds(): string[] {
    return this.#open(this.#made.transports).map(({ id }) => id);
  }

  consumers(): mediasoup.types.Consumer[] {
    return this.#open(this.#made.consumers);
  }

  /** The open ends of pipes between nodes. */
  pipes(): mediasoup.types.PipeTransport[] {
    return this.#open(this.#made.transports).filter(isPipe).filter(isBetweenNodes);
  }

  /** The open producers whose packets come over one. */
  pipedProducers(): mediasoup.types.Producer[] {
    return this.producers().filter((producer) => this.#goesOver(producer, 'pipe'));
  }

  /** The open consumers that send over one. */
  pipeConsumers(): mediasoup.types.Consumer[] {
    return this.consumers().filter((consumer) => this.#goesOver(consumer, 'pipe'));
  }

  /** The open ends of relays, which lead from the router of a stage to those of its audience. */
  relays(): mediasoup.types.PipeTransport[] {
    return this.#open(this.#made.transports)
      .filter(isPipe)
      .filter((end) => !isBetweenNodes(end));
  }

  /** The open producers whose packets come over one. */
  relayedProducers(): mediasoup.types.Producer[] {
    return this.producers().filter((producer) => this.#goesOver(producer, 'relay'));
  }

  /** The open consumers that send over one. */
  relayConsumers(): mediasoup.types.Consumer[] {
    return this.consumers().filter((consumer) => this.#goesOver(consumer, 'relay'));
  }

  #goesOver(thing: mediasoup.types.Producer | mediasoup.types.Consumer, what: 'pipe' | 'relay'): boolean {
    const end = this.#made.piped.get(thing);
    return end !== undefined && isBetweenNodes(end) === (what === 'pipe');
  }

  #open<Thing extends { readonly closed: boolean }>(things: Map<Thing, mediasoup.types.Worker>): Thing[] {
    const workers = new Set(this.workers);
    return [...things].flatMap(([thing, worker]) => (!thing.closed && workers.has(worker) ? [thing] : []));
  }

  /**
   * Transports, producers, consumers and observers that mediasoup still has in this process, in the router or forgotten;
   * those of planes that were started later too.
   */
  openHere(): number {
    const { transports, producers, consumers, observers } = this.#made;
    const made = [...transports.keys(), ...producers.keys(), ...consumers.keys(), ...observers];
    return made.filter(({ closed }) => !closed).length;
  }

  /** What mediasoup itself has on all living workers, by asking the worker processes. */
  async inWorkers(): Promise<{ routers: number; transports: number; producers: number; consumers: number }> {
    const { workers, routers } = await this.#dumps();
    const count = (lengths: number[]) => lengths.reduce((sum, length) => sum + length, 0);
    const sum = {
      routers: count(workers.map(({ routerIds }) => routerIds.length)),
      transports: count(routers.map(({ transportIds }) => transportIds.length)),
      producers: count(routers.map(({ mapProducerIdConsumerIds }) => mapProducerIdConsumerIds.length)),
      consumers: count(routers.map(({ mapConsumerIdProducerId }) => mapConsumerIdProducerId.length)),
    };
    // Everything in a worker that can be asked something has a handler there: this finds what is on no router of ours.
    const observers = count(routers.map(({ rtpObserverIds }) => rtpObserverIds.length));
    const known = sum.routers + sum.transports + sum.producers + sum.consumers + observers;
    const handlers = workers.flatMap(({ channelMessageHandlers, webRtcServerIds }) =>
      channelMessageHandlers.channelRequestHandlers.filter((handlerId) => !webRtcServerIds.includes(handlerId)),
    );
    if (handlers.length !== known)
      throw new Error(`${handlers.length} things in the workers, of which ${known} are known`);
    // What measures levels serves nobody.
    const measuring = this.#open(this.#made.measuring);
    const transports = measuring.filter((thing) => !('kind' in thing)).length;
    return {
      ...sum,
      transports: sum.transports - transports,
      consumers: sum.consumers - (measuring.length - transports),
    };
  }

  /** What workers and routers say at one moment: asked again where something came or went between the one and the other. */
  async #dumps() {
    const askWorkers = () => Promise.all(this.workers.map((worker) => worker.dump()));
    const handlers = (workers: Awaited<ReturnType<typeof askWorkers>>) =>
      workers.map(({ channelMessageHandlers }) => [...channelMessageHandlers.channelRequestHandlers].sort());
    for (let workers = await askWorkers(); ; ) {
      const routers = await Promise.all(this.openRouters().map((router) => router.dump().catch(() => undefined)));
      const after = await askWorkers();
      const known = routers.flatMap((router) => router ?? []);
      if (isDeepStrictEqual(handlers(workers), handlers(after)) && known.length === routers.length)
        return { workers, routers: known };
      workers = after;
    }
  }

  async close(): Promise<void> {
    const people = [...this.#rooms.values()].flatMap((room) => room.people);
    for (const { node, peer } of people) if (node === this) peer.close();
    await this.plane.close();
  }
}

/** A room as its state would be, and the people in it: what the use cases do, without them. It may span several nodes. */
export class TestRoom {
  readonly roomId = newId();
  readonly nodes: readonly Rig[];
  readonly stage = new Map<string, { sessionId: string }>();
  readonly microphones = new Map<string, MicrophoneState>();
  readonly people: Person[] = [];
  quality: RoomSettings['audioQuality'];
  version = 0;
  /** What is done when a worker of this room died, in the middle of the news. */
  lost: (lost: LostMedia) => void = () => undefined;

  constructor(nodes: readonly Rig[], quality: RoomSettings['audioQuality']) {
    this.nodes = nodes;
    this.quality = quality;
  }

  /** Somebody who came in, with no media yet. */
  person(seat: SeatRef): Person | undefined {
    return this.people.find((person) => person.seat.sessionId === seat.sessionId);
  }

  /** Somebody comes in, at this node or the first one. */
  enter(options: { speaker?: boolean; userId?: string; sessionId?: string; at?: Rig } & PeerOptions = {}): Person {
    const [first] = this.nodes;
    const at = options.at ?? first;
    if (at === undefined) throw new Error('a room without nodes');
    const { userId = newId(), sessionId = newId() } = options;
    const person = new Person(this, at, { roomId: this.roomId, userId, sessionId }, options);
    this.people.push(person);
    if (options.speaker) this.stage.set(person.seat.userId, { sessionId: person.seat.sessionId });
    return person;
  }

  /** Every node follows the state. */
  async reconcile(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.reconcileAt(node)));
  }

  /** This node follows it, and the others do not hear of it yet. */
  reconcileAt({ plane }: Rig): Promise<void> {
    const { roomId, quality } = this;
    this.version += 1;
    return plane.reconcile({
      roomId,
      version: this.version,
      audioQuality: quality,
      stage: new Map(this.stage),
      microphones: new Map(this.microphones),
    });
  }
}

/** One person in a room, with one session and one peer. Each step is what one command does. */
export class Person {
  readonly room: TestRoom;
  readonly node: Rig;
  readonly seat: SeatRef;
  readonly peer: WrtcPeer;
  obeys = true;
  /** Voices are negotiated one event after the other, as a client does. */
  #negotiation: Promise<void> = Promise.resolve();
  #return: Promise<void> = Promise.resolve();
  /** Whether a worker died: what was under way then may fail. */
  #returning = false;
  #hasLeft = false;

  constructor(room: TestRoom, node: Rig, seat: SeatRef, options: PeerOptions) {
    this.room = room;
    this.node = node;
    this.seat = seat;
    const { plane } = node;
    this.peer = new WrtcPeer(
      {
        connect: async (transportId, { role, fingerprints }) =>
          valueFrom(
            await plane.connect(this.seat, transportId, { fingerprints, ...(role === undefined ? {} : { role }) }),
          ),
        produce: async (transportId, rtpParameters) =>
          valueFrom(await plane.produce(this.seat, { transportId, rtpParameters })).producerId,
      },
      options,
    );
  }

  get userId(): string {
    return this.seat.userId;
  }

  async listen(): Promise<void> {
    const answer = valueFrom(await this.node.listen(this.seat));
    await this.#next(() => this.peer.listen(answer));
  }

  /** Another router is to serve this person: the client listens anew, unless it is one that does not do what it is told. */
  toldToListen(): void {
    if (this.obeys) void this.listen().catch(() => undefined);
  }

  added(voices: Parameters<MediaEvents['consumersAdded']>[0]): void {
    const adding = this.#next(async () => {
      if (this.peer.receivingId === voices.transportId) await this.peer.addVoices(voices.consumers);
    });
    // A peer that closes in the middle of a negotiation fails at it.
    adding.catch((error: unknown) => {
      if (this.peer.receivingId === voices.transportId && !this.#returning) throw error;
    });
  }

  /** Comes back after media was lost, as a client does: again and again until it works. */
  comeBack(lost: { readonly receiving: boolean; readonly sending: boolean }, hertz: number): Promise<void> {
    this.#returning = true;
    this.#return = this.#return.then(async () => {
      if (lost.receiving) await this.#insist(() => this.listen());
      if (lost.sending) await this.#insist(() => this.speak(hertz));
    });
    return this.#return;
  }

  async #insist(act: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; !this.#hasLeft && attempt <= 100; attempt += 1) {
      try {
        await act();
        return;
      } catch {
        await pause(30);
      }
    }
  }

  /** Opens the microphone: publish, produce, commit, reconcile. */
  async speak(hertz: number, options: { muted?: boolean; bitrate?: number } = {}): Promise<string> {
    const producerId = await this.openMicrophone(hertz, options.bitrate);
    await this.commit(producerId, options.muted ?? false);
    return producerId;
  }

  /** The first half of it: the microphone is open, and the state does not have it. */
  async openMicrophone(hertz: number, bitrate?: number): Promise<string> {
    const { quality } = this.room;
    const answer = valueFrom(await this.node.plane.publish(this.seat));
    return this.peer.speak(answer, { hertz, quality, ...(bitrate === undefined ? {} : { bitrate }) });
  }

  async commit(producerId: string, muted: boolean): Promise<void> {
    const { userId, sessionId } = this.seat;
    this.room.microphones.set(userId, { userId, sessionId, producerId, muted, node: this.node.node });
    await this.room.reconcile();
  }

  async setMuted(muted: boolean): Promise<void> {
    const microphone = this.room.microphones.get(this.userId);
    if (microphone !== undefined) await this.commit(microphone.producerId, muted);
  }

  async leaveStage(): Promise<void> {
    this.room.stage.delete(this.userId);
    this.room.microphones.delete(this.userId);
    await this.room.reconcile();
  }

  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.leaveStage();
    this.node.plane.release(this.room.roomId, this.userId);
    this.peer.close();
  }

  /** Resolves when this person hears exactly these tones over the latest transport, each from whom it is. */
  async hearsExactly(voices: readonly (readonly [Person, number])[], withinMs?: number): Promise<void> {
    let heard = new Map<string, number>();
    const exactly = () => {
      heard = this.peer.hearsLately();
      return (
        heard.size === voices.length &&
        voices.every(([speaker, hertz]) => Math.abs((heard.get(speaker.userId) ?? 0) - hertz) < 0.06 * hertz)
      );
    };
    await until(`${this.userId} hears ${voices.map(([, hertz]) => hertz)}`, exactly, withinMs).catch((error: Error) => {
      throw new Error(`${error.message}, but ${JSON.stringify([...heard])} ${JSON.stringify(this.peer.connections)}`);
    });
  }

  #next(step: () => Promise<void>): Promise<void> {
    const next = this.#negotiation.then(step);
    this.#negotiation = next.catch(() => undefined);
    return next;
  }
}
