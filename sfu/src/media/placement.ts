/** A worker on which a listener could be placed. */
type PlaceForListener = {
  /** Packets a second that it may come to send already. */
  readonly reserved: number;
  /** Whether the room has a router for its audience there. */
  readonly isOpen: boolean;
  readonly hasRoomFor: (packets: number) => boolean;
};

export type ListenerPlacement = {
  /** Packets a second that the listener may come to cost. */
  readonly listener: number;
  /** What it costs to bring the voices to a router that has to be opened. */
  readonly relay: number;
  /** Whether somebody who listens here already is only moved: they are placed where there is no room for anybody more, too. */
  readonly isInside: boolean;
};

/**
 * The place for one more who listens (MD-2, MD-3): of those with room the one that costs least, where a router that has to be opened
 * counts with what it takes to feed it. So a second core is used as soon as the first has more to do than that, and no core is filled
 * past what it can serve. Undefined where nobody has room. Pure.
 */
export const placeForListener = <Place extends PlaceForListener>(
  places: readonly Place[],
  { listener, relay, isInside }: ListenerPlacement,
): Place | undefined => {
  const costs = places.map((place) => {
    const opening = place.isOpen ? 0 : relay;
    return { place, cost: place.reserved + opening, hasRoom: place.hasRoomFor(opening + listener) };
  });
  const withRoom = costs.filter(({ hasRoom }) => hasRoom);
  const candidates = withRoom.length === 0 && isInside ? costs : withRoom;
  const [cheapest] = candidates.sort((one, other) => one.cost - other.cost);
  return cheapest?.place;
};
