import type { LoadServer } from './load-server.ts';
import type { Metronome } from './metronome.ts';
import type { Tally } from './tally.ts';
import type { UdpDrops } from './udp-drops.ts';

/** What everybody of one process shares. */
export type LoadContext = {
  readonly server: LoadServer;
  readonly metronome: Metronome;
  readonly drops: UdpDrops;
  /** Where what these people measure is counted. */
  readonly tally: Tally;
  /** The number of the next guest, another one in every process. */
  readonly nextGuest: () => number;
  /** Whether this speaker is one of this load: then the timestamps of their packets say when they were spoken. */
  readonly isOurs: (userId: string) => boolean;
};
