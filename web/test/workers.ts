import { readdirSync, readFileSync } from 'node:fs';
import type { Server } from '../e2e/support/server.ts';

/** What `/metrics` says of this figure, by its labels. */
const figureOf = async ({ url }: Pick<Server, 'url'>, name: string): Promise<Map<string, number>> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return new Map(lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
};

/** How often each command was answered so far, as the server counts it. */
export const commandsOf = async (server: Pick<Server, 'url'>): Promise<Map<string, number>> => {
  const counted = await figureOf(server, 'rostrum_command_seconds_count');
  return new Map([...counted].map(([labels, count]) => [/command="([^"]+)"/.exec(labels)?.[1] ?? labels, count]));
};

/** Kills the media worker of the server that has the fewest consumers, or the most, with SIGKILL. */
export const killWorker = async (server: Server, which: 'fewest' | 'most'): Promise<void> => {
  const consumers = [...(await figureOf(server, 'rostrum_worker_consumers')).values()];
  const wanted = which === 'most' ? Math.max(...consumers) : Math.min(...consumers);
  // They are started in the order of their numbers.
  const pid = childrenOf(server.process.pid ?? -1)[consumers.indexOf(wanted)];
  if (pid === undefined) throw new Error('there is no such worker');
  process.kill(pid, 'SIGKILL');
};

/** The same for all of them. */
export const killWorkers = (server: Server): void => {
  for (const pid of childrenOf(server.process.pid ?? -1)) process.kill(pid, 'SIGKILL');
};

/** Processes that this one started, in the order in which it did; proc(5). */
const childrenOf = (parent: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent)
    .sort((one, other) => one - other);

const parentOf = (pid: number): number | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
};
