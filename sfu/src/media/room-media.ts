import type { ConsumerOffer, MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import type { Listening, PipeDemand, PipeOffer, Publishing, RoomMediaState, SeatRef } from './media-plane.ts';
import type { Tenant } from './media-worker.ts';
import type { ParticipantMedia } from './participant-media.ts';
import { streamsOf } from './reservation.ts';
import { failure, type RoomContext, superseded } from './room-context.ts';
import { RoomParticipants } from './room-participants.ts';
import { type PipeNetwork, RoomPipes } from './room-pipes.ts';
import { openRouter, type RoomRouter } from './room-router.ts';
import { RoomStage } from './room-stage.ts';
import { RoomVoices } from './room-voices.ts';
import type { SeatTransport } from './seat-transport.ts';
import { SpeakerMonitor } from './speaker-monitor.ts';
import { type FollowedState, VoiceHandover } from './voice-handover.ts';

export type RoomMediaOptions = Omit<RoomContext, 'router'> & {
  /** The way to other nodes, where there are any. */
  readonly pipes: PipeNetwork | undefined;
  /** The name of this node among the others. */
  readonly self: string | undefined;
  /** Called once, when the room has no media any more. */
  readonly closed: () => void;
};

/**
 * The media of one room on this node: a router on one worker, the transports of everybody who has some, and the pipes
 * from and to other nodes. It exists from the first person's transport to the last. Commands may interleave at every `await`: whatever is opened is claimed before,
 * so the last command wins, and what it replaced closes itself.
 */
export class RoomMedia implements Tenant {
  readonly #options: RoomMediaOptions;
  readonly #context: RoomContext;
  readonly #opened: Promise<RoomRouter>;
  readonly #monitor: SpeakerMonitor;
  readonly #participants: RoomParticipants;
  readonly #voices: RoomVoices;
  readonly #stage: RoomStage;
  readonly #pipes: RoomPipes | undefined;
  readonly #handover: VoiceHandover;
  #router: RoomRouter | undefined;
  #closed = false;

  constructor(options: RoomMediaOptions) {
    const { worker, limits, events, roomId } = options;
    this.#options = options;
    this.#context = { ...options, router: async () => (await this.#opened).router };
    this.#participants = new RoomParticipants(
      this.#context,
      {
        receiverEnded: (participant) => this.#participants.account(participant),
        senderEnded: (participant) => this.#stage.endSenders([participant]),
      },
      () => this.close(),
    );
    this.#monitor = new SpeakerMonitor(limits, (userIds) => events.speakingChanged(roomId, userIds));
    this.#voices = new RoomVoices({
      listeners: this.#participants.listeners,
      monitor: this.#monitor,
      events,
      given: (voice) => this.#handover.given(voice),
    });
    this.#handover = new VoiceHandover({
      self: options.self,
      movedMediaMs: limits.movedMediaMs,
      has: (producerId) => this.#voices.has(producerId),
      // Never rejects: what mediasoup fails at is dealt with where it fails.
      changed: () => void this.#follow(this.#handover.followed()),
    });
    this.#stage = new RoomStage(this.#context, this.#participants, this.#voices);
    this.#pipes =
      options.pipes && new RoomPipes(this.#context, options.pipes, this.#voices, (routedId) => this.#measure(routedId));
    this.#opened = this.#open();
    // Whoever waits for the router sees its failure.
    this.#opened.catch(() => undefined);
    worker.admit(this);
  }

  async #open(): Promise<RoomRouter> {
    const { worker, limits } = this.#context;
    this.#router = await openRouter(worker, limits, {
      closed: () => this.#closed,
      measured: (levels) => this.#voices.measured(levels),
    });
    return this.#router;
  }

  get roomId(): string {
    return this.#context.roomId;
  }

  async listen(seat: SeatRef): Promise<Result<Listening>> {
    const participant = this.#participants.claim(seat);
    try {
      // Somebody who listens already only replaces what they have, and is not turned out.
      const listeners = this.#participants.listeners.size + 1;
      const fits = this.#hasRoomFor({ listeners, microphones: this.#microphones() });
      if (participant.receiver === undefined && !fits) return refuse('node_full');
      return await participant.opening(participant.receiver, () => this.#openReceiver(participant));
    } finally {
      this.#participants.account(participant);
    }
  }

  async #openReceiver(participant: ParticipantMedia): Promise<Result<Listening>> {
    const receiver = participant.replaceReceiver();
    this.#participants.account(participant);
    try {
      const transport = await receiver.open();
      if (transport === undefined) return superseded(this.#context);
      const { rtpCapabilities } = await this.#context.router();
      void this.#voices.hear(receiver);
      // From here on the client is told of changes by events: nothing may wait between this and the answer.
      const consumers = await receiver.answer();
      if (receiver.transport.closed) return superseded(this.#context);
      return done({ rtpCapabilities, transport: receiver.transport.offer(transport), consumers });
    } catch (error) {
      const { closed } = receiver.transport;
      if (participant.receiver === receiver) participant.closeReceiver();
      return failure(this.#context, { error, doing: 'opening a receiving transport', closed, code: 'unavailable' });
    }
  }

  async publish(seat: SeatRef): Promise<Result<Publishing>> {
    const participant = this.#participants.claim(seat);
    try {
      const transport = await this.#stage.publish(participant);
      if (!transport.ok) return transport;
      const { rtpCapabilities } = await this.#context.router();
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
    const sender = this.#participants.find(seat)?.sender;
    if (sender?.transport.open?.id !== transportId) return refuse('not_found');
    if (sender.hasMicrophone) return refuse('already');
    const microphones = this.#microphones() + 1;
    if (!this.#hasRoomFor({ listeners: this.#participants.listeners.size, microphones })) return refuse('node_full');
    const opened = await this.#stage.produce(sender, rtpParameters);
    if (!opened.ok) return opened;
    const { producerId } = opened.value;
    try {
      await this.#measure(producerId);
    } catch (error) {
      const { closed } = opened.value;
      if (sender.microphone === opened.value) this.#stage.closeMicrophone(sender);
      return failure(this.#context, { error, doing: 'measuring a microphone', closed, code: 'unavailable' });
    }
    return opened.value.closed ? superseded(this.#context) : done({ producerId });
  }

  /** The transport of this seat that has this id; nobody else's. */
  transport(seat: SeatRef, transportId: string): SeatTransport | undefined {
    return this.#participants.find(seat)?.transport(transportId);
  }

  async sync(
    seat: SeatRef,
    have: { readonly transportIds: readonly string[]; readonly consumerIds: readonly string[] },
  ): Promise<{ transportIds: string[]; added: ConsumerOffer[]; removed: string[] }> {
    const participant = this.#participants.find(seat);
    const transportIds =
      participant?.transportIds().filter((transportId) => have.transportIds.includes(transportId)) ?? [];
    const receiver = participant?.receiver;
    const receiving = receiver?.transport.open?.id;
    // A client without this receiving transport has to listen anew, whatever consumers it still holds.
    if (receiver === undefined || receiving === undefined || !transportIds.includes(receiving)) {
      return { transportIds, added: [], removed: [...have.consumerIds] };
    }
    await this.#voices.hear(receiver);
    return { transportIds, ...(await receiver.compare(have.consumerIds)) };
  }

  async reconcile(state: RoomMediaState): Promise<void> {
    await this.#follow(this.#handover.follow(state));
  }

  async #follow(state: FollowedState | undefined): Promise<void> {
    if (state === undefined || this.#closed) return;
    await Promise.all([this.#stage.follow(state), this.#pipes?.follow(state), this.#voices.give()]);
  }

  /** Only microphones of people here: what was piped here is never piped on. */
  async servePipe(from: string, demand: PipeDemand): Promise<Result<PipeOffer>> {
    return (await this.#pipes?.serve(from, demand, this.#stage.microphones(demand.producerIds))) ?? refuse('not_found');
  }

  nodeGone(node: string): void {
    this.#pipes?.nodeGone(node);
  }

  stopExcess(): Promise<void> {
    return this.#stage.stopExcess();
  }

  /** Closes what this person has here, but for one session. */
  release(userId: string, exceptSessionId: string | undefined): void {
    const leaving = this.#participants.ofUser(userId).filter(({ seat }) => seat.sessionId !== exceptSessionId);
    this.#stage.closeSender(...leaving);
    for (const participant of leaving) {
      participant.closeReceiver();
      this.#participants.account(participant);
    }
  }

  unpublish(seat: SeatRef): void {
    const participant = this.#participants.find(seat);
    if (participant === undefined) return;
    this.#stage.closeSender(participant);
    this.#participants.account(participant);
  }

  discard(seat: SeatRef, producerId: string): void {
    const sender = this.#participants.find(seat)?.sender;
    if (sender?.microphone?.producerId === producerId) this.#stage.closeMicrophone(sender);
  }

  seats(): SeatRef[] {
    return this.#participants.seats();
  }

  load(): { transports: number; producers: number; consumers: number } {
    const { transports, producers, consumers } = this.#participants.load();
    return {
      transports: transports + (this.#pipes?.transports() ?? 0),
      producers: producers + (this.#pipes?.producers() ?? 0),
      consumers: consumers + (this.#pipes?.streams() ?? 0),
    };
  }

  reservedStreams(): number {
    const { size: listeners } = this.#participants.listeners;
    return streamsOf({ listeners, microphones: this.#microphones() }) + (this.#pipes?.streams() ?? 0);
  }

  lost(): void {
    const seats = this.seats();
    this.close();
    this.#context.events.roomLost(this.roomId, seats);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // First the router: it takes everything with it in one request.
    this.#router?.router.close();
    this.#participants.close();
    this.#pipes?.close();
    this.#handover.close();
    this.#context.worker.leave(this);
    this.#options.closed();
    // Last, as whoever hears of it finds the room gone.
    this.#monitor.silence();
  }

  /** Microphones that are heard here, or are about to be. */
  #microphones(): number {
    return this.#participants.microphones() + (this.#pipes?.microphones() ?? 0);
  }

  async #measure(producerId: string): Promise<void> {
    const { observer } = await this.#opened;
    await this.#context.worker.ask(() => observer.addProducer({ producerId }));
  }

  /** Whether the worker can serve this room if it came to this, next to its other rooms (MD-3). */
  #hasRoomFor(room: { readonly listeners: number; readonly microphones: number }): boolean {
    const { worker, limits } = this.#context;
    const before = { listeners: this.#participants.listeners.size, microphones: this.#microphones() };
    return worker.reservedStreams() - streamsOf(before) + streamsOf(room) <= limits.streamsPerWorker;
  }
}
