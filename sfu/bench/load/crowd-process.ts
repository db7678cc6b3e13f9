/** One process of the load: everybody in it, and what they measure, for the process that began it. */
import { serveParent } from '../lib/child.ts';
import { MediaAddresses } from '../lib/media-addresses.ts';
import { type Arrivals, type Calls, Crowd, type CrowdFigures, type CrowdProgress } from './crowd.ts';
import type { StageOptions } from './room-stage.ts';

/** What `begin` takes: the server, as one process found it for all. */
export type CrowdBegin = {
  readonly url: string;
  readonly addresses: readonly string[];
  readonly forwarded: boolean;
  readonly index: number;
  readonly processes: number;
};

let crowd: Crowd | undefined;

const present = (): Crowd => {
  if (crowd === undefined) throw new Error('the load has not begun');
  return crowd;
};

serveParent(
  {},
  {
    begin: ({ url, addresses, forwarded, index, processes }: CrowdBegin): void => {
      crowd = new Crowd({ server: { url, addresses: new MediaAddresses(addresses), forwarded }, index, processes });
    },
    openRoom: (options: StageOptions) => present().openRoom(options),
    know: ({ userIds }: { userIds: readonly string[] }): void => present().know(userIds),
    talk: (): void => present().talk(),
    reopen: (): void => present().reopen(),
    arrive: (arrivals: Arrivals): void => present().arrive(arrivals),
    call: (calls: Calls): void => present().call(calls),
    progress: (): CrowdProgress => present().progress,
    hush: (): Promise<void> => present().hush(),
    figures: (): Promise<CrowdFigures> => present().figures(),
    leave: (): Promise<void> => present().leave(),
  },
  async () => crowd?.leave(),
);
