import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { done, type Result } from '@rostrum/shared/result.ts';
import type { Microphone } from './microphone.ts';
import { toleratedBitrate } from './opus.ts';
import type { ParticipantMedia } from './participant-media.ts';
import { failure, type RoomContext, superseded } from './room-context.ts';
import type { RoomParticipants } from './room-participants.ts';
import type { Sender } from './sender.ts';
import type { StageVoices } from './stage-voices.ts';
import type { FollowedState } from './voice-handover.ts';

/** The sending half of a room's media: who sends, and that only those send whom the state has on the stage (MD-9). */
export class RoomStage {
  readonly #context: RoomContext;
  readonly #participants: RoomParticipants;
  readonly #voices: StageVoices;
  /** Until the state has been told, nobody is held to less than the best quality. */
  #quality: RoomSettings['audioQuality'] = 'music';

  constructor(context: RoomContext, participants: RoomParticipants, voices: StageVoices) {
    this.#context = context;
    this.#participants = participants;
    this.#voices = voices;
  }

  /** Opens a sending transport in place of the one that this participant had. */
  publish(participant: ParticipantMedia): Promise<Result<TransportOffer>> {
    return participant.opening(participant.sender, async () => {
      this.closeSender(participant);
      const sender = participant.claimSender(this.#context);
      this.#participants.account(participant);
      try {
        const transport = await sender.open(this.#quality);
        return transport === undefined ? superseded(this.#context) : done(transport);
      } catch (error) {
        const closed = sender.transport.closed;
        if (participant.sender === sender) this.closeSender(participant);
        return failure(this.#context, { error, doing: 'opening a sending transport', closed, code: 'unavailable' });
      }
    });
  }

  /** Opens a microphone on this seat's sending transport, heard by nobody before the state has it. */
  async produce(sender: Sender, rtpParameters: MicrophoneRtpParameters): Promise<Result<Microphone>> {
    return sender.produce(rtpParameters, this.#quality, (microphone) => {
      if (sender.microphone === microphone) this.closeMicrophone(sender);
    });
  }

  /** Makes the sending half what the state says. Resolves when the worker did it; listeners get new voices by `StageVoices.give`. */
  async follow(state: FollowedState): Promise<void> {
    const work: Promise<void>[] = [];
    if (state.audioQuality !== this.#quality) {
      this.#quality = state.audioQuality;
      for (const { sender } of this.#participants.speakers)
        if (sender !== undefined) work.push(this.#limitBitrate(sender));
    }
    const offStage: ParticipantMedia[] = [];
    for (const participant of this.#participants.speakers) {
      const { userId, sessionId } = participant.seat;
      if (state.stage.get(userId)?.sessionId !== sessionId) {
        offStage.push(participant);
        continue;
      }
      const microphone = participant.sender?.microphone;
      if (microphone !== undefined) work.push(this.#followMicrophone(microphone, state));
    }
    this.endSenders(offStage);
    await Promise.all(work);
  }

  #followMicrophone(microphone: Microphone, { microphones, leaving }: FollowedState): Promise<void> {
    const { userId, sessionId } = microphone.seat;
    const said = microphones.get(userId);
    if (said?.sessionId === sessionId && said.producerId === microphone.producerId)
      return this.#voices.follow(microphone, said);
    const left = leaving.get(microphone.producerId);
    if (left === undefined || left.isHeard) return this.#voices.follow(microphone, left?.microphone);
    // Listeners here have the new one. Other nodes may still be sent this one.
    this.#voices.take([microphone]);
    return microphone.follow(left.microphone);
  }

  /** Those of these microphones that are open here and that the state has. */
  microphones(producerIds: readonly string[]): Microphone[] {
    const asked = new Set(producerIds);
    return [...this.#participants.speakers].flatMap(({ sender }) => {
      const microphone = sender?.microphone;
      return microphone?.inState && asked.has(microphone.producerId) ? [microphone] : [];
    });
  }

  /** Ends the sending side of everybody who sent far more than the quality takes (MD-5). To be asked every few seconds. */
  async stopExcess(): Promise<void> {
    for (const participant of [...this.#participants.speakers]) {
      const microphone = participant.sender?.microphone;
      const bitrate = await microphone?.averageBitrate();
      if (bitrate === undefined || bitrate <= toleratedBitrate(this.#quality)) continue;
      if (participant.sender?.microphone !== microphone) continue;
      const { logger, roomId } = this.#context;
      logger.warn(
        { roomId, producerId: microphone?.producerId, bitrate: Math.round(bitrate) },
        'a microphone sends too much and is closed',
      );
      this.endSenders([participant]);
    }
  }

  /** Closes the sending side, and takes its voice from everybody. */
  closeSender(...participants: readonly ParticipantMedia[]): void {
    const microphones = participants.flatMap(({ sender }) => sender?.microphone ?? []);
    for (const participant of participants) participant.closeSender();
    this.#voices.take(microphones);
  }

  /** The same without having been asked to by the person: they are told. */
  endSenders(participants: readonly ParticipantMedia[]): void {
    const ended = participants.map(({ seat, sender }) => ({ seat, producerId: sender?.microphone?.producerId }));
    this.closeSender(...participants);
    for (const participant of participants) this.#participants.account(participant);
    for (const { seat, producerId } of ended) this.#context.events.unpublished(seat, producerId);
  }

  /** Closes the microphone and keeps the transport. */
  closeMicrophone(sender: Sender): void {
    const { microphone } = sender;
    sender.closeMicrophone();
    if (microphone !== undefined) this.#voices.take([microphone]);
  }

  async #limitBitrate(sender: Sender): Promise<void> {
    try {
      await sender.limitBitrate(this.#quality);
    } catch (error) {
      if (sender.transport.closed || this.#context.worker.closed) return;
      this.#context.logger.warn(
        { roomId: this.#context.roomId, err: error },
        'the bitrate of a sending transport could not be limited',
      );
    }
  }
}
