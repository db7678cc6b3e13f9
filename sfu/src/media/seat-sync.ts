import type { ConsumerOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ParticipantMedia } from './participant-media.ts';
import type { Receiver } from './receiver.ts';
import type { RoomSeating } from './room-seating.ts';

/** What a client says that it has, and what it is told to have. */
export type SeatKnowledge = { readonly transportIds: readonly string[]; readonly consumerIds: readonly string[] };
export type SeatCorrection = { transportIds: string[]; added: ConsumerOffer[]; removed: string[] };

/** What a client has to add and to drop so that it hears every voice once; see `MediaPlane.sync`. Never rejects. */
export const syncSeat = async (
  participant: ParticipantMedia,
  have: SeatKnowledge,
  seating: RoomSeating,
): Promise<SeatCorrection> => {
  const living = participant.transportIds().filter((transportId) => have.transportIds.includes(transportId));
  const isKnown = ({ transport }: Receiver) => living.includes(transport.open?.id ?? '');
  const { receiver } = participant;
  const isInPlace = seating.isInPlace(participant);
  // A client without the latest receiving transport has to listen anew, whatever consumers it still holds; and so has one that is
  // served at the wrong place, which goes on hearing meanwhile.
  const listensOn = receiver !== undefined && isKnown(receiver) && isInPlace;
  if (listensOn) await seating.of(receiver).branch.voices.hear(receiver);
  const added = listensOn ? await receiver.lacking(new Set(have.consumerIds)) : [];
  const here = new Set(
    participant
      .receivers()
      .filter(isKnown)
      .flatMap((each) => each.consumerIds()),
  );
  const misplaced = isInPlace ? undefined : receiver?.transport.open?.id;
  return {
    transportIds: living.filter((transportId) => transportId !== misplaced),
    added,
    removed: have.consumerIds.filter((consumerId) => !here.has(consumerId)),
  };
};
