import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { closeDead, type Death, survives } from './lost-seats.ts';
import type { Listening, PipeDemand, PipeOffer, Publishing, RoomMediaState, SeatRef } from './media-plane.ts';
import type { MediaWorker } from './media-worker.ts';
import type { PipeSettings } from './pipe-half.ts';
import { RoomAudience } from './room-audience.ts';
import { type SharedContext, superseded } from './room-context.ts';
import { RoomParticipants } from './room-participants.ts';
import type { PipeNetwork } from './room-pipes.ts';
import { RoomSeating } from './room-seating.ts';
import { type SeatCorrection, type SeatKnowledge, syncSeat } from './seat-sync.ts';
import type { SeatTransport } from './seat-transport.ts';
import { SpeakerMonitor } from './speaker-monitor.ts';
import { StageBranch } from './stage-branch.ts';
import { type FollowedState, VoiceHandover } from './voice-handover.ts';
import type { WorkerPool } from './worker-pool.ts';

export type RoomMediaOptions = {
  readonly shared: SharedContext;
  readonly pool: Pick<WorkerPool, 'running' | 'leastLoaded'>;
  /** The worker for its stage. */
  readonly worker: MediaWorker;
  /** How the ends of pipes between routers of this node are made. */
  readonly relays: Pick<PipeSettings, 'listenInfo'>;
  /** The way to other nodes, where there are any. */
  readonly pipes: PipeNetwork | undefined;
  /** The name of this node among the others. */
  readonly self: string | undefined;
  /** Called once, when the room has no media any more. */
  readonly closed: () => void;
};

/** Of those who come back after a worker died one in so many milliseconds, and the longest that anybody waits (MD-8). */
const msPerReturn = 1;
const longestReturnMs = 1000;

/**
 * The media of one room on this node: the router of its stage, routers for its audience once it is large, the transports of everybody
 * who has some, and the pipes from and to other nodes. It exists from the first person's transport to the last. Commands may
 * interleave at every `await`: whatever is opened is claimed before, so the last command wins, and what it replaced closes itself.
 */
export class RoomMedia {
  readonly #options: RoomMediaOptions;
  readonly #monitor: SpeakerMonitor;
  readonly #participants: RoomParticipants;
  readonly #audience: RoomAudience;
  readonly #handover: VoiceHandover;
  readonly #seating: RoomSeating;
  #stage: StageBranch;
  #closed = false;

  constructor(options: RoomMediaOptions) {
    const { shared, pool, relays, self } = options;
    const { limits, events, roomId } = shared;
    this.#options = options;
    this.#participants = new RoomParticipants(
      limits,
      {
        receiverEnded: (participant) => this.#participants.account(participant),
        senderEnded: (participant) => this.#stage.senders.endSenders([participant]),
      },
      () => this.close(),
    );
    this.#monitor = new SpeakerMonitor(limits, (userIds) => events.speakingChanged(roomId, userIds));
    this.#handover = new VoiceHandover({
      self,
      movedMediaMs: limits.movedMediaMs,
      has: (producerId) => this.#stage.voices.has(producerId),
      // Never rejects: what mediasoup fails at is dealt with where it fails.
      changed: () => void this.#follow(this.#handover.followed()),
    });
    this.#stage = this.#openStage(options.worker);
    this.#audience = new RoomAudience({
      shared,
      relays,
      workers: () => pool.running(),
      voices: () => this.#stage.voices,
      listenerCost: () => this.#stage.audienceCost(),
      given: (producerId) => this.#given(producerId),
      closed: () => this.#audienceClosed(),
      lost: (worker) => this.#lost(worker),
    });
    this.#seating = new RoomSeating({
      shared,
      pool,
      participants: this.#participants,
      audience: this.#audience,
      stage: () => this.#stage,
    });
  }

  #openStage(worker: MediaWorker): StageBranch {
    const { shared, pipes } = this.#options;
    return new StageBranch({
      shared,
      worker,
      pipes,
      participants: this.#participants,
      monitor: this.#monitor,
      nextPacketMs: () => this.#seating.nextPacketMs(),
      given: (producerId) => this.#given(producerId),
      lost: () => this.#lost(worker),
    });
  }

  get roomId(): string {
    return this.#options.shared.roomId;
  }

  admit(seat: SeatRef): Result<void> {
    return this.#seating.admit(seat);
  }

  async listen(seat: SeatRef, { onStage }: { readonly onStage: boolean }): Promise<Result<Listening>> {
    const participant = this.#participants.claim(seat);
    participant.onStage = onStage;
    try {
      return await participant.opening(participant.receiver, () => this.#seating.open(participant));
    } finally {
      this.#participants.account(participant);
    }
  }

  async publish(seat: SeatRef): Promise<Result<Publishing>> {
    const participant = this.#participants.claim(seat);
    const { senders, branch } = this.#stage;
    try {
      const transport = await senders.publish(participant);
      if (!transport.ok) return transport;
      const { rtpCapabilities } = await branch.context.router();
      return done({ rtpCapabilities, transport: transport.value });
    } finally {
      this.#participants.account(participant);
    }
  }

  async produce(
    seat: SeatRef,
    transportId: string,
    rtpParameters: MicrophoneRtpParameters,
  ): Promise<Result<{ producerId: string }>> {
    const { senders, branch } = this.#stage;
    const sender = this.#participants.find(seat)?.sender;
    if (sender?.transport.open?.id !== transportId) return refuse('not_found');
    const opened = await senders.produce(sender, rtpParameters);
    if (!opened.ok) return opened;
    return opened.value.closed ? superseded(branch.context) : done({ producerId: opened.value.producerId });
  }

  /** The transport of this seat that has this id; nobody else's. */
  transport(seat: SeatRef, transportId: string): SeatTransport | undefined {
    return this.#participants.find(seat)?.transport(transportId);
  }

  async sync(seat: SeatRef, have: SeatKnowledge): Promise<SeatCorrection> {
    const participant = this.#participants.find(seat);
    if (participant === undefined) return { transportIds: [], added: [], removed: [...have.consumerIds] };
    return syncSeat(participant, have, this.#seating);
  }

  async reconcile(state: RoomMediaState): Promise<void> {
    await this.#follow(this.#handover.follow(state));
  }

  async #follow(state: FollowedState | undefined): Promise<void> {
    if (state === undefined || this.#closed) return;
    this.#seating.follow(state);
    await this.#stage.follow(state);
  }

  async servePipe(from: string, demand: PipeDemand): Promise<Result<PipeOffer>> {
    return (await this.#stage.servePipe(from, demand)) ?? refuse('not_found');
  }

  nodeGone(node: string): void {
    this.#stage.nodeGone(node);
  }

  stopExcess(): Promise<void> {
    return this.#stage.senders.stopExcess();
  }

  /** Closes what this person has here, but for one session. */
  release(userId: string, exceptSessionId: string | undefined): void {
    const leaving = this.#participants.ofUser(userId).filter(({ seat }) => seat.sessionId !== exceptSessionId);
    this.#stage.senders.closeSender(...leaving);
    for (const participant of leaving) {
      participant.closeReceivers();
      this.#participants.account(participant);
    }
  }

  unpublish(seat: SeatRef): void {
    const participant = this.#participants.find(seat);
    if (participant === undefined) return;
    this.#stage.senders.closeSender(participant);
    this.#participants.account(participant);
  }

  discard(seat: SeatRef, producerId: string): void {
    const sender = this.#participants.find(seat)?.sender;
    if (sender?.microphone?.producerId === producerId) this.#stage.senders.closeMicrophone(sender);
  }

  seats(): SeatRef[] {
    return this.#participants.all().map(({ seat }) => seat);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stage.close();
    this.#audience.close();
    this.#participants.close();
    this.#handover.close();
    this.#options.closed();
    // Last, as whoever hears of it finds the room gone.
    this.#monitor.silence();
  }

  /** Every listener at one of the routers was given this voice: it counts when those at all of them were. */
  #given(producerId: string): void {
    const { voices } = this.#stage.branch;
    const voice = voices.all.get(producerId);
    if (voice !== undefined && voices.isGiven(producerId) && this.#audience.isGiven(producerId))
      this.#handover.given(voice);
  }

  #audienceClosed(): void {
    if (this.#closed) return;
    this.#seating.relocate();
    for (const producerId of this.#stage.branch.voices.all.keys()) this.#given(producerId);
  }

  /** A worker died (MD-8): what was on it is gone, and nothing else. A stage that still has an audience is built anew at once. */
  #lost(worker: MediaWorker): void {
    if (this.#closed) return;
    const { shared, pool } = this.#options;
    const people = this.#participants.all();
    const stageDied = this.#stage.worker === worker;
    const death: Death = {
      ofReceiver: (receiver) => this.#seating.of(receiver).worker === worker,
      ofSenders: stageDied,
    };
    const isStageLeft = stageDied && people.some((participant) => survives(participant, death));
    const next = isStageLeft ? pool.leastLoaded() : undefined;
    const isOver = stageDied && next === undefined;
    const seats = closeDead(people, isOver ? { ofReceiver: () => true, ofSenders: true } : death);
    this.#audience.lose(worker);
    if (next !== undefined) this.#moveStage(next);
    // The last one closes the room.
    for (const participant of people) this.#participants.account(participant);
    if (isOver) this.close();
    shared.counters.seatsLost(seats.length);
    const withinMs = Math.min(seats.length * msPerReturn, longestReturnMs);
    shared.events.mediaLost(this.roomId, { seats, microphones: stageDied, withinMs });
  }

  /** The stage goes on at this worker: what it had is gone, and what it is to have comes from the state. */
  #moveStage(worker: MediaWorker): void {
    const dead = this.#stage;
    this.#stage = this.#openStage(worker);
    dead.close();
    this.#monitor.silence();
    this.#audience.feedFrom(this.#stage.voices);
    void this.#follow(this.#handover.followed());
  }
}
