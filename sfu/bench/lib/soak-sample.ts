import { setTimeout as pause } from 'node:timers/promises';
import type { Counts } from './gauge.ts';
import type { Memory } from './measured.ts';
import { countDescriptors, udpSocketsOf } from './proc.ts';
import type { RostrumProcess } from './rostrum-process.ts';

/** How many of everything a server has, while nobody is there. */
export type Holdings = Counts & {
  readonly rooms: number;
  readonly sockets: number;
  /** What the server's process has open but for TCP connections, and what its workers have. */
  readonly descriptors: number;
  readonly workerDescriptors: number;
  readonly udpPorts: number;
};

export type Sample = { readonly holdings: Holdings; readonly memory: Memory };

/** How long what is left behind may take to go, and how often to look, in milliseconds. */
const goneMs = 60_000;
const lookMs = 250;

const holdingsOf = async (server: RostrumProcess): Promise<Holdings> => {
  const workers = await server.workers();
  const ofWorkers = await Promise.all(
    workers.map(async ({ pid }) => [await countDescriptors(pid), (await udpSocketsOf(pid)).length] as const),
  );
  const metrics = await metricsOf(server.url);
  return {
    ...(await server.counts()),
    rooms: metrics('rostrum_rooms'),
    sockets: metrics('rostrum_sockets'),
    descriptors: await countDescriptors(server.pid),
    workerDescriptors: ofWorkers.reduce((total, [descriptors]) => total + descriptors, 0),
    udpPorts: ofWorkers.reduce((total, [, ports]) => total + ports, 0),
  };
};

/** What the server says of itself: the sum over a name's labels. */
const metricsOf = async (url: string): Promise<(name: string) => number> => {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  const lines = (await response.text()).split('\n');
  return (name) => {
    const values = lines.filter((line) => line.startsWith(name) && /[ {]/.test(line.charAt(name.length)));
    if (values.length === 0) throw new Error(`/metrics has no ${name}`);
    return values.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
};

/** Which holdings are more than they were, or, of workers, fewer. */
export const leftOver = (now: Holdings, before: Holdings): string[] =>
  (Object.keys(before) as (keyof Holdings)[])
    .filter((name) => (name === 'workers' ? now[name] !== before[name] : now[name] > before[name]))
    .map((name) => `${name}: ${now[name]} for ${before[name]}`);

/**
 * Waits until a server that everybody has left has no more than it had before, and measures it. Where nothing is said of before, until
 * nothing changes any more. After a minute it is measured as it is: `leftOver` tells.
 */
export const sampleWhenCalm = async (server: RostrumProcess, before?: Holdings): Promise<Sample> => {
  const begun = performance.now();
  let holdings = await orNone(server);
  let same = 0;
  while (performance.now() - begun < goneMs) {
    if (holdings && before && leftOver(holdings, before).length === 0) break;
    await pause(lookMs);
    const now = await orNone(server);
    same = now && JSON.stringify(now) === JSON.stringify(holdings) ? same + 1 : 0;
    holdings = now;
    if (!before && same * lookMs >= calmMs) break;
  }
  return { holdings: holdings ?? (await holdingsOf(server)), memory: await server.memory() };
};

/** When nothing has changed for so long nothing is on the way, in milliseconds. */
const calmMs = 4000;

/** A worker that died in this moment cannot be looked into. */
const orNone = async (server: RostrumProcess): Promise<Holdings | undefined> => {
  try {
    return await holdingsOf(server);
  } catch {
    return undefined;
  }
};
