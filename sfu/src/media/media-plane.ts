import type { ConsumerOffer, TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import type { Result } from '@rostrum/shared/result.ts';

/**
 * What the use cases need of media, without a word of mediasoup. Media follows state: apart from allocating (`listen`,
 * `publish`, `produce`) everything happens by `reconcile` and `release`, which may be called at any time and twice.
 */

/** Whose media it is: a person's seat in a room, held by one session. Media of an earlier session ends with `reconcile` and `release`. */
export type SeatRef = { readonly roomId: string; readonly userId: string; readonly sessionId: string };

/** What the room's state says about a microphone that is open. */
export type MicrophoneState = {
  readonly userId: string;
  readonly sessionId: string;
  readonly producerId: string;
  readonly muted: boolean;
  /** The node at which its media ends; this one when left out. */
  readonly node?: string | undefined;
};

/** What the room's state says that media must follow. */
export type RoomMediaState = {
  readonly roomId: string;
  /** Of the record that it was made from, which grows: `MediaFollower` does not follow one that comes after a later one. */
  readonly version: number;
  readonly audioQuality: RoomSettings['audioQuality'];
  /** Who may send at all: the people on the stage, with the session that holds the seat. */
  readonly stage: ReadonlyMap<string, { readonly sessionId: string }>;
  /** Microphones by user. */
  readonly microphones: ReadonlyMap<string, MicrophoneState>;
};

export type Voices = {
  readonly seat: SeatRef;
  readonly transportId: string;
  readonly consumers: readonly ConsumerOffer[];
};

/** What media tells by itself. Handlers must not throw. */
export type MediaEvents = {
  /** Voices that a listener is sent from now on. */
  consumersAdded: (voices: Voices) => void;
  consumersRemoved: (seat: SeatRef, consumerIds: readonly string[]) => void;
  /**
   * The server closed the sending transport of this seat, and its microphone with it: off the stage, in favour of a later
   * session, never connected, failed, or far too much sent. `producerId` is that microphone's, if one was open: the state
   * may still have it, or by now another one of the same person.
   */
  unpublished: (seat: SeatRef, producerId: string | undefined) => void;
  /** The whole set of people who speak in this room now, at most once per `speakingIntervalMs` (MD-4); nobody when its media closes. */
  speakingChanged: (roomId: string, userIds: readonly string[]) => void;
  /** A worker that served this room died, and with it what these seats lost. Told once for each worker that dies. */
  mediaLost: (roomId: string, lost: LostMedia) => void;
  /** Another router is to serve this seat: it listens anew, some time in so many milliseconds. What it hears goes on until then. */
  relisten: (seat: SeatRef, withinMs: number) => void;
};

/** What died with a worker. Media of a room that is on other workers goes on. */
export type LostMedia = {
  readonly seats: readonly { readonly seat: SeatRef; readonly receiving: boolean; readonly sending: boolean }[];
  /** Whether every microphone that the room had at this node is gone: all of them end on one worker. */
  readonly microphones: boolean;
  /** Coming back is spread over so long, in milliseconds, so that nobody waits behind a crowd. */
  readonly withinMs: number;
};

/** One end of a pipe between two nodes: where it receives, and the key of what it sends (SRTP, RFC 3711 and 7714). */
export type PipeEnd = {
  readonly ip: string;
  readonly port: number;
  readonly srtpParameters: { readonly cryptoSuite: 'AEAD_AES_256_GCM'; readonly keyBase64: string };
};

/**
 * What a node wants of another one for a room: the whole set of microphones, each time anything changes and at least
 * three times in a lease, as the other end closes when it is not asked again. An empty set ends the pipe.
 */
export type PipeDemand = {
  readonly roomId: string;
  /** Grows with every demand of a node: one that comes after a later one is `stale`. */
  readonly sequence: number;
  /** The end of the node that asks. Another one than before is a new pipe. */
  readonly transport: PipeEnd;
  readonly producerIds: readonly string[];
};

/** What it gets: those of them that are open there, and where they come from. Another end than before is a new pipe. */
export type PipeOffer = {
  readonly transport: PipeEnd;
  readonly producers: readonly { readonly producerId: string; readonly rtpParameters: MicrophoneRtpParameters }[];
};

/** The way to the other nodes: the answer of the other node's `servePipe`, or `unavailable` within a bounded time. */
export type PipePeers = { request(node: string, demand: PipeDemand): Promise<Result<PipeOffer>> };

export type WorkerLoad = {
  readonly index: number;
  readonly pid: number;
  /** Rooms that have a router there. */
  readonly rooms: number;
  readonly transports: number;
  readonly producers: number;
  readonly consumers: number;
  /** Share of a core that it used of late, 0 to 1; 0 before it was measured. */
  readonly cpu: number;
  /** Packets a second that its listeners may come to cost (MD-3), and how many it is taken to forward. */
  readonly reserved: number;
  readonly capacity: number;
};

/** What media counted since this node started (OP-1); what is a share or a time is of late. */
export type MediaFigures = {
  /** Packets of microphones that arrived here, and that were lost on their way here. */
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Packets that went out, to listeners and over pipes: an estimate, packets of each voice times the streams that send it. */
  readonly packetsForwarded: number;
  /** Of a sample of listeners: the share of packets that they report as lost, and the jitter, in seconds. */
  readonly listenerLoss: number;
  readonly listenerJitter: number;
  /** Voices that the stage gate let in or took out (MD-6), once for each router. */
  readonly gateSwitches: number;
  /** Workers that died and were replaced, and those of them that were killed for not answering (MD-8). */
  readonly workerDeaths: number;
  readonly workersKilled: number;
  /** Listeners and speakers who lost media with a worker. */
  readonly seatsLost: number;
  /** Routers for audiences that are open now (MD-2). */
  readonly audienceRouters: number;
  /** Joins that were refused since there was no room (MD-3). */
  readonly refusedFull: number;
};

export type Listening = {
  readonly rtpCapabilities: Record<string, unknown>;
  readonly transport: TransportOffer;
  readonly consumers: ConsumerOffer[];
};

export type Publishing = { readonly rtpCapabilities: Record<string, unknown>; readonly transport: TransportOffer };

export interface MediaPlane {
  /**
   * Whether there is room for one more who listens in this room (MD-3): refuses with `node_full`, or `unavailable` where no worker
   * runs. To be asked before a seat is taken; it costs next to nothing and reserves nothing. Whoever listens here already is let.
   */
  admit(seat: SeatRef): Result<void>;
  /**
   * Opens a receiving transport for this seat with a consumer, unpaused, for every microphone in the room but its own. `onStage`
   * says whether the room has this seat on its stage: then it is served by the stage's router, and hears every microphone; else
   * by one for the audience, in a room that has such. One that the seat had before is closed as soon as this one is connected, or after
   * `movedMediaMs`. Refuses with `node_full` where no worker has room, `unavailable` where a
   * worker does not answer, `conflict` when it was closed or replaced before it was open, `rate_limited` with too many
   * on the way. From the moment of the answer, `consumersAdded` and `consumersRemoved` tell what changes in it: the
   * caller passes the answer on before it waits for anything else.
   */
  listen(seat: SeatRef, options: { readonly onStage: boolean }): Promise<Result<Listening>>;
  /**
   * Opens a sending transport for this seat, in place of one it had. The caller has checked that the seat is on the
   * stage. Refuses as `listen` does.
   */
  publish(seat: SeatRef): Promise<Result<Publishing>>;
  /**
   * Gives a transport of this seat the client's DTLS parameters. A transport that this seat does not own is `not_found`,
   * a second time is `already`, parameters that mediasoup refuses are `invalid`.
   */
  connect(seat: SeatRef, transportId: string, dtlsParameters: ClientDtlsParameters): Promise<Result<void>>;
  /**
   * Opens the microphone on this seat's sending transport. Nobody hears it before `reconcile` finds its producer in the
   * room's state: the caller commits it there, or calls `discard`. Refuses with `not_found` for a transport that is not
   * this seat's sending one, `already` for a second microphone, `invalid` for RTP parameters that mediasoup refuses.
   */
  produce(
    seat: SeatRef,
    options: { transportId: string; rtpParameters: MicrophoneRtpParameters },
  ): Promise<Result<{ producerId: string }>>;
  /** Closes a producer that the room's state refused. */
  discard(seat: SeatRef, producerId: string): void;
  /** Closes the sending transport of this seat, and the microphone with it. */
  unpublish(seat: SeatRef): void;
  /** New ICE parameters for a transport of this seat (RFC 8445 section 2.4, ICE restart). */
  restartIce(seat: SeatRef, transportId: string): Promise<Result<{ iceParameters: Record<string, unknown> }>>;
  /**
   * Which of these transports live, and the consumers to add and to drop so that the seat hears every microphone once.
   * What is added may come by `consumersAdded` too, and counts once. Without the receiving transport nothing is added:
   * the seat listens anew.
   */
  sync(
    seat: SeatRef,
    have: { transportIds: readonly string[]; consumerIds: readonly string[] },
  ): Promise<Result<{ transportIds: string[]; added: ConsumerOffer[]; removed: string[] }>>;
  /**
   * Makes the room's media here what the state says: producers of muted people are paused, producers and sending
   * transports of people off the stage (or of an earlier session) are closed, a microphone that the state does not have
   * is heard by nobody, and a microphone new in the state is given to every listener. As long as anybody has media
   * here, microphones at other nodes are piped here, each once, and given like the others; this does not wait for them.
   * The state is kept for those who come later.
   */
  reconcile(state: RoomMediaState): Promise<void>;
  /** Closes all media of this person in this room but that of `exceptSessionId`. */
  release(roomId: string, userId: string, exceptSessionId?: string): void;
  /** Closes all media of a room. */
  closeRoom(roomId: string): void;
  /**
   * What another node asks of this one: opens or changes this node's end of its pipe, and answers the same when it is
   * asked the same again. Gives nothing but microphones of people here that the room's state has. Refuses with
   * `not_found` where none of them is here (the pipe is closed then), `stale` for a demand that a later one overtook,
   * `node_full` with too many pipes, `unavailable` where the worker does not do it.
   */
  servePipe(from: string, demand: PipeDemand): Promise<Result<PipeOffer>>;
  /** Closes every pipe from and to a node that is gone. What the state still has there is asked for again. */
  nodeGone(node: string): void;
  /** Rooms that have media on this node. */
  roomIds(): readonly string[];
  /** Seats that have media in this room on this node. */
  seatsOf(roomId: string): readonly SeatRef[];
  load(): readonly WorkerLoad[];
  figures(): MediaFigures;
  /** Whether every worker runs, none of them died again and again of late, and one of them has room. */
  ready(): boolean;
  /** Closes rooms, then workers, and waits for the worker processes to exit. */
  close(): Promise<void>;
}
