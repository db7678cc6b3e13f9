import type { LostMedia } from './media-plane.ts';
import type { ParticipantMedia } from './participant-media.ts';
import type { Receiver } from './receiver.ts';

/** What died with a worker. */
export type Death = { readonly ofReceiver: (receiver: Receiver) => boolean; readonly ofSenders: boolean };

/** Whether this one has anything left. */
export const survives = (participant: ParticipantMedia, death: Death): boolean =>
  participant.receivers().some((receiver) => !death.ofReceiver(receiver)) ||
  (!death.ofSenders && participant.sender !== undefined);

/** Closes what died of these people, and answers who of them has to open something anew. */
export const closeDead = (participants: readonly ParticipantMedia[], death: Death): LostMedia['seats'] =>
  participants.flatMap((participant) => {
    const { seat, receiver, sender } = participant;
    const receiving = receiver !== undefined && death.ofReceiver(receiver);
    const sending = death.ofSenders && sender !== undefined;
    for (const dead of participant.receivers().filter(death.ofReceiver)) participant.giveUp(dead);
    if (sending) participant.closeSender();
    return receiving || sending ? [{ seat, receiving, sending }] : [];
  });
