import type { LoadContext } from '../load/context.ts';
import { findServer } from '../load/load-server.ts';
import { Metronome } from '../load/metronome.ts';
import { Tally } from '../load/tally.ts';
import { UdpDrops } from '../load/udp-drops.ts';

let guests = 0;

/**
 * What people of the load tool need to be in this process. Each comes from an address of their own, or, where it is said how many
 * addresses there are, from one that somebody had before.
 */
export const peopleOf = async (
  url: string,
  {
    tally = new Tally(),
    addresses = Number.POSITIVE_INFINITY,
  }: { readonly tally?: Tally; readonly addresses?: number } = {},
): Promise<LoadContext> => ({
  server: await findServer(url, { forwarded: true }),
  metronome: new Metronome(),
  drops: new UdpDrops(),
  tally,
  nextGuest: () => {
    guests += 1;
    return addresses === Number.POSITIVE_INFINITY ? guests : guests % addresses;
  },
  // Nobody else speaks here.
  isOurs: () => true,
});
