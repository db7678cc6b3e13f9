import { readFile } from 'node:fs/promises';

/** Files that a process of Node has open anyway. */
const anyway = 100;
/** A socket for commands and one for media; while somebody is moved, two for media. */
const eachPerson = 3;

/** Why so many people do not fit into one process here; undefined when they do, or where the system does not say. */
export const tooManyFiles = async (people: number): Promise<string | undefined> => {
  const needed = people * eachPerson + anyway;
  const allowed = await mostOpenFiles();
  return allowed === undefined || needed <= allowed
    ? undefined
    : `${people} people in one process need ${needed} open files, and this system allows ${allowed}: raise it (ulimit -n), or use more --processes`;
};

/** Node raises its own limit to the hard one when it starts. */
const mostOpenFiles = async (): Promise<number | undefined> => {
  try {
    const limits = await readFile('/proc/self/limits', 'utf8');
    const found = /^Max open files\s+(?<soft>\d+)/m.exec(limits)?.groups?.['soft'];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
};
