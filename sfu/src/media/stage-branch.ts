import type { Result } from '@rostrum/shared/result.ts';
import { packetTimes } from '@rostrum/shared/room/audio-quality.ts';
import type { types } from 'mediasoup';
import type { Listening, PipeDemand, PipeOffer } from './media-plane.ts';
import type { ForwardedVoice, MediaWorker, Tenant } from './media-worker.ts';
import type { Receiver } from './receiver.ts';
import { listenerCost, packetsPerSecond } from './reservation.ts';
import { RoomBranch } from './room-branch.ts';
import type { SharedContext } from './room-context.ts';
import type { RoomParticipants } from './room-participants.ts';
import { type PipeNetwork, RoomPipes } from './room-pipes.ts';
import { RoomStage } from './room-stage.ts';
import type { RoomVoice } from './room-voice.ts';
import type { SpeakerMonitor } from './speaker-monitor.ts';
import { StageVoices } from './stage-voices.ts';
import type { FollowedState } from './voice-handover.ts';

export type StageBranchOptions = {
  readonly shared: SharedContext;
  readonly worker: MediaWorker;
  readonly participants: RoomParticipants;
  readonly monitor: SpeakerMonitor;
  readonly pipes: PipeNetwork | undefined;
  /** Milliseconds of sound in a packet of a microphone that is opened next. */
  readonly nextPacketMs: () => number;
  readonly given: (producerId: string) => void;
  /** The worker died. */
  readonly lost: () => void;
};

/**
 * The router of a room's stage on one worker (MD-1): everybody's sending transports, the pipes from and to other nodes, and those who
 * listen from the stage, or, in a small room, from anywhere.
 */
export class StageBranch implements Tenant {
  readonly branch: RoomBranch<RoomVoice>;
  readonly voices: StageVoices;
  readonly senders: RoomStage;
  readonly #options: StageBranchOptions;
  readonly #pipes: RoomPipes | undefined;
  #reckoned: { readonly ofAudience: number; readonly ofStage: number } | undefined;

  constructor(options: StageBranchOptions) {
    const { shared, worker, participants, monitor, pipes, given } = options;
    this.#options = options;
    this.branch = new RoomBranch<RoomVoice>({ shared, worker, given: ({ producerId }) => given(producerId) });
    const { context } = this.branch;
    this.voices = new StageVoices(this.branch, monitor);
    this.senders = new RoomStage(context, participants, this.voices);
    this.#pipes = pipes && new RoomPipes(context, pipes, this.voices);
    worker.admit(this);
  }

  get roomId(): string {
    return this.#options.shared.roomId;
  }

  get worker(): MediaWorker {
    return this.#options.worker;
  }

  listen(receiver: Receiver): Promise<Result<Listening>> {
    return this.branch.listen(receiver, Promise.resolve());
  }

  /** Resolves when the worker did what the state says. Neither other nodes nor relays are waited for. */
  async follow(state: FollowedState): Promise<void> {
    this.voices.settle();
    await Promise.all([this.senders.follow(state), this.#pipes?.follow(state), this.voices.give()]);
  }

  /** Only microphones of people here: what was piped here is never piped on. */
  async servePipe(from: string, demand: PipeDemand): Promise<Result<PipeOffer> | undefined> {
    return this.#pipes?.serve(from, demand, this.senders.microphones(demand.producerIds));
  }

  nodeGone(node: string): void {
    this.#pipes?.nodeGone(node);
  }

  /** Packets a second that one who listens in the audience may come to cost: the gate lets so many voices through. */
  audienceCost(): number {
    return this.#costs().ofAudience;
  }

  load(): { transports: number; producers: number; consumers: number } {
    const { transports, consumers } = this.branch.load();
    const sending = this.#options.participants.sending();
    const load = {
      transports: transports + sending.transports + (this.#pipes?.transports() ?? 0),
      producers: sending.microphones + (this.#pipes?.producers() ?? 0),
      consumers: consumers + (this.#pipes?.streams() ?? 0),
    };
    for (const relay of this.voices.relays) {
      if (relay.isOpen) load.transports += 1;
      load.consumers += relay.streamCount;
    }
    return load;
  }

  /** People who listen here hear every microphone; a relay is sent what one of the audience is. */
  reserved(): number {
    const { ofAudience, ofStage } = this.#costs();
    const ofPipes = (this.#pipes?.streams() ?? 0) * packetsPerSecond(packetTimes.usual);
    return this.branch.receivers.size * ofStage + this.voices.relays.size * ofAudience + ofPipes;
  }

  forwarded(): ForwardedVoice[] {
    const voices = new Set([...this.#options.participants.microphones(), ...this.branch.voices.all.values()]);
    return [...voices].map((voice) => ({
      producer: voice.producer,
      streams: voice.muted ? 0 : this.#streamsOf(voice),
      isMicrophone: voice.isMicrophone,
    }));
  }

  *heard(): Iterable<types.Consumer> {
    const sent = [...this.branch.voices.all.values()].filter(({ muted }) => !muted).map(({ producerId }) => producerId);
    for (const receiver of this.branch.receivers) {
      const consumer = receiver.consumerOf(sent);
      if (consumer !== undefined) yield consumer;
    }
  }

  lost(): void {
    // With the other router of this room that was there.
    if (!this.branch.closed) this.#options.lost();
  }

  close(): void {
    if (this.branch.closed) return;
    this.branch.close();
    this.voices.close();
    this.#pipes?.close();
    this.worker.leave(this);
  }

  #streamsOf(voice: RoomVoice): number {
    let streams = this.branch.hearing(voice.userId) + (this.#pipes?.sends(voice.producerId) ?? 0);
    for (const relay of this.voices.relays) streams += relay.sends(voice);
    return streams;
  }

  /** What one listener may come to cost. Whoever is placed asks every room of a worker several times: they are reckoned once a moment. */
  #costs(): { readonly ofAudience: number; readonly ofStage: number } {
    if (this.#reckoned !== undefined) return this.#reckoned;
    const { shared, nextPacketMs } = this.#options;
    const { gateVoices } = shared.limits;
    const times = this.#packetTimes();
    const next = { nextPacketMs: nextPacketMs() };
    const costs = {
      ofAudience: listenerCost(times, { voices: gateVoices, ...next }),
      ofStage: listenerCost(times, { voices: Math.max(gateVoices, times.length), ...next }),
    };
    this.#reckoned = costs;
    queueMicrotask(() => {
      this.#reckoned = undefined;
    });
    return costs;
  }

  /** Of the microphones that are heard here, or are about to be: here or at other nodes. */
  #packetTimes(): number[] {
    const { participants, nextPacketMs } = this.#options;
    const here = participants.microphones().map(({ packetMs }) => packetMs);
    const opening = participants.sending().microphones - here.length;
    const elsewhere = this.#pipes?.microphones() ?? 0;
    return [
      ...here,
      ...Array.from({ length: opening }, nextPacketMs),
      ...Array.from({ length: elsewhere }, () => packetTimes.usual),
    ];
  }
}
