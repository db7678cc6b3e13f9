import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import type { AudienceBranch } from './audience-branch.ts';
import type { Listening, RoomMediaState, SeatRef } from './media-plane.ts';
import type { ParticipantMedia, Place } from './participant-media.ts';
import type { Receiver } from './receiver.ts';
import type { RoomAudience } from './room-audience.ts';
import type { SharedContext } from './room-context.ts';
import type { RoomParticipants } from './room-participants.ts';
import type { StageBranch } from './stage-branch.ts';
import type { WorkerPool } from './worker-pool.ts';

export type RoomSeatingOptions = {
  readonly shared: SharedContext;
  readonly pool: Pick<WorkerPool, 'running'>;
  readonly participants: RoomParticipants;
  readonly audience: RoomAudience;
  readonly stage: () => StageBranch;
};

/** Of an audience that goes to other routers one in so many milliseconds, and the longest that anybody waits. */
const msPerMove = 10;
const longestMoveMs = 5000;

/** A room is split once, and nobody changes roles all the time: who is at the wrong router still is told of it. */
const attemptsToListen = 3;

/**
 * Who is served at which router of a room. The stage is served by its own, and so is the audience of a small room. A room is split once its
 * audience outgrows that router, or the stage gate has to choose whom the audience hears (MD-6): then the audience belongs at
 * routers of its own.
 */
export class RoomSeating {
  readonly #options: RoomSeatingOptions;
  #state: RoomMediaState | undefined;

  constructor(options: RoomSeatingOptions) {
    this.#options = options;
  }

  /** Whether there is room for one more who listens (MD-3). Who is in already, or on the stage, is let. */
  admit({ userId }: SeatRef): Result<void> {
    const { audience, pool } = this.#options;
    if (this.#isInside(userId) || this.#state?.stage.has(userId)) return done(undefined);
    if (pool.running().length === 0) return refuse('unavailable');
    return !this.#outgrowsStage() || audience.hasRoom() ? done(undefined) : this.#full();
  }

  /**
   * Opens a receiving side for this one at the right router, and once more where that turned out to be the wrong one meanwhile, as the
   * room was split or the person's role changed. If it fails, what played before goes on.
   */
  async open(participant: ParticipantMedia): Promise<Result<Listening>> {
    for (let attempt = 1; ; attempt += 1) {
      const place = this.#place(participant);
      if (!place.ok) return place;
      const { branch } = place.value;
      const receiver = participant.claimReceiver((seat, hooks) => branch.claim(seat, hooks));
      this.#options.participants.account(participant);
      const answer = await place.value.listen(receiver);
      if (!answer.ok) participant.giveUp(receiver);
      if (!answer.ok || participant.receiver !== receiver || this.isInPlace(participant)) return answer;
      if (attempt < attemptsToListen) continue;
      this.relocate();
      return answer;
    }
  }

  /** The router for somebody who listens. Who listens already and is in the right place stays there. */
  #place(participant: ParticipantMedia): Result<StageBranch | AudienceBranch> {
    const { audience, pool, stage } = this.#options;
    const { receiver, onStage, seat } = participant;
    if (onStage || !this.#outgrowsStage(participant)) return done(stage());
    const isInside = this.#isInside(seat.userId);
    const place = audience.of(receiver) ?? audience.place(isInside);
    if (place === undefined) return pool.running().length === 0 ? refuse('unavailable') : this.#full();
    if (!audience.isSplit) {
      audience.split();
      this.relocate();
    }
    return done(place);
  }

  /** Who is on the stage, as the state says, is served there, and who is not is not: those concerned are told to listen anew. */
  follow(state: RoomMediaState): void {
    const { participants, audience, shared } = this.#options;
    this.#state = state;
    for (const participant of participants.all()) {
      const { userId, sessionId } = participant.seat;
      participant.onStage = state.stage.get(userId)?.sessionId === sessionId;
    }
    if (state.microphones.size > shared.limits.gateVoices && this.#directAudience().length > 0) audience.split();
    this.relocate();
  }

  /** The router at which a receiving side is. */
  of(receiver: Receiver): StageBranch | AudienceBranch {
    return this.#options.audience.of(receiver) ?? this.#options.stage();
  }

  isInPlace(participant: ParticipantMedia): boolean {
    return this.#placeOf(participant) === this.#belongs(participant);
  }

  /** Milliseconds of sound in a packet of a microphone that is opened next, as far as this node can tell how large the room is. */
  nextPacketMs(): number {
    const { participants, shared } = this.#options;
    const isLarge = participants.listeners.size >= shared.limits.largeRoomPeople;
    return isLarge && this.#state?.audioQuality !== 'music' ? packetTimes.large : packetTimes.usual;
  }

  /** Whether the audience does not belong at the router of the stage (any more), with this one among them or one who is to come. */
  #outgrowsStage(participant?: ParticipantMedia): boolean {
    const { audience, shared, stage } = this.#options;
    if (audience.isSplit) return true;
    const { branch, worker } = stage();
    const others = this.#directAudience().filter((other) => other !== participant).length;
    const isHere = participant?.receiver !== undefined && branch.receivers.has(participant.receiver);
    return (
      others + 1 > shared.limits.directListeners ||
      (this.#state?.microphones.size ?? 0) > shared.limits.gateVoices ||
      (!isHere && !worker.hasRoomFor(stage().audienceCost()))
    );
  }

  /** Those of the audience who listen at the router of the stage. */
  #directAudience(): ParticipantMedia[] {
    return [...this.#options.participants.listeners].filter(
      (participant) => !participant.onStage && this.#placeOf(participant) === 'stage',
    );
  }

  /**
   * Tells those who listen at another router than where they belong to listen anew, once for each change. Whoever waits for the answer
   * of `listen` gets one from the right router.
   */
  relocate(): void {
    const { participants, shared } = this.#options;
    const movers = [...participants.listeners].filter(
      (participant) =>
        participant.receiver?.isAnswered &&
        participant.isToMove(this.#placeOf(participant), this.#belongs(participant)),
    );
    const ofAudience = movers.filter(({ onStage }) => !onStage).length;
    const withinMs = Math.min(Math.max(ofAudience - 1, 0) * msPerMove, longestMoveMs);
    for (const { seat, onStage } of movers) shared.events.relisten(seat, onStage ? 0 : withinMs);
  }

  /** Whether this person listens already, maybe with another device that this one is about to take the place of. */
  #isInside(userId: string): boolean {
    return this.#options.participants.ofUser(userId).some(({ receiver }) => receiver !== undefined);
  }

  /** Where this one is served, by the latest of its receiving sides. */
  #placeOf({ receiver }: ParticipantMedia): Place {
    return this.#options.audience.of(receiver) === undefined ? 'stage' : 'audience';
  }

  #belongs({ onStage }: ParticipantMedia): Place {
    return onStage || !this.#options.audience.isSplit ? 'stage' : 'audience';
  }

  #full(): Result<never> {
    this.#options.shared.counters.refusedFull();
    return refuse('node_full');
  }
}
