import { isDeepStrictEqual } from 'node:util';
import { defaultLimits, type Limits } from '@rostrum/shared/limits.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import type { Result } from '@rostrum/shared/result.ts';
import * as mediasoup from 'mediasoup';
import type { MediaEvents, MediaPlane, MicrophoneState, SeatRef } from '../../src/media/media-plane.ts';
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
  /** Those of the producers whose packets come over a pipe. */
  readonly piped: Set<mediasoup.types.Producer>;
};

const isPipe = (transport: mediasoup.types.Transport): transport is mediasoup.types.PipeTransport =>
  transport.type === 'pipe';

const watch = (router: mediasoup.types.Router, worker: mediasoup.types.Worker, made: Made): void => {
  made.routers.set(router, worker);
  router.observer.on('newrtpobserver', (observer) => made.observers.add(observer));
  router.observer.on('newtransport', (transport) => {
    made.transports.set(transport, worker);
    transport.observer.on('newproducer', (producer) => {
      made.producers.set(producer, worker);
      if (isPipe(transport)) made.piped.add(producer);
    });
    transport.observer.on('newconsumer', (consumer) => made.consumers.set(consumer, worker));
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
    const told: Told = { consumersAdded: [], consumersRemoved: [], unpublished: [], speakingChanged: [], roomLost: [] };
    const rooms = new Map<string, TestRoom>();
    const made: Made = {
      workers: new Set(),
      routers: new Map(),
      transports: new Map(),
      producers: new Map(),
      consumers: new Map(),
      observers: new Set(),
      piped: new Set(),
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
        roomLost: (roomId, seats) => {
          told.roomLost.push([roomId, seats]);
          rooms.get(roomId)?.lost();
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

  /** Tells the people of this room what the plane tells. */
  attend(room: TestRoom): void {
    this.#rooms.set(room.roomId, room);
  }

  /** The workers of this plane that run. */
  get workers(): mediasoup.types.Worker[] {
    const pids = new Set(this.plane.load().map(({ pid }) => pid));
    return [...this.#made.workers].filter(({ pid }) => pids.has(pid));
  }

  openRouters(): mediasoup.types.Router[] {
    return this.#open(this.#made.routers);
  }

  /** The open microphones, as mediasoup knows them in this process. */
  producers(): mediasoup.types.Producer[] {
    return this.#open(this.#made.producers);
  }

  /** The open ends of pipes. */
  pipes(): mediasoup.types.PipeTransport[] {
    return this.#open(this.#made.transports).filter(isPipe);
  }

  /** The open producers whose packets come over a pipe. */
  pipedProducers(): mediasoup.types.Producer[] {
    return this.producers().filter((producer) => this.#made.piped.has(producer));
  }

  /** The open consumers that send over pipes. */
  pipeConsumers(): mediasoup.types.Consumer[] {
    return this.#open(this.#made.consumers).filter(({ type }) => type === 'pipe');
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
    return sum;
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
  /** What is done when the worker of this room died, in the middle of the news. */
  lost: () => void = () => undefined;

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
  /** Voices are negotiated one event after the other, as a client does. */
  #negotiation: Promise<void> = Promise.resolve();

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
    const answer = valueFrom(await this.node.plane.listen(this.seat));
    await this.#next(() => this.peer.listen(answer));
  }

  added(voices: Parameters<MediaEvents['consumersAdded']>[0]): void {
    const adding = this.#next(async () => {
      if (this.peer.receivingId === voices.transportId) await this.peer.addVoices(voices.consumers);
    });
    // A peer that closes in the middle of a negotiation fails at it.
    adding.catch((error: unknown) => {
      if (this.peer.receivingId === voices.transportId) throw error;
    });
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
    await this.leaveStage();
    this.node.plane.release(this.room.roomId, this.userId);
    this.peer.close();
  }

  /** Resolves when this person hears exactly these tones, each from whom it is. */
  async hearsExactly(voices: readonly (readonly [Person, number])[], withinMs?: number): Promise<void> {
    let heard = new Map<string, number>();
    const exactly = () => {
      heard = this.peer.hears();
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
    this.#negotiation = this.#negotiation.then(step);
    return this.#negotiation;
  }
}
