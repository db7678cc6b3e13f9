import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Of Linux: the same for every process and container of one running machine, and for no other one (random(4)). */
const bootIdFile = '/proc/sys/kernel/random/boot_id';

/** What tells this machine from another. */
export const machineId = (): string => {
  try {
    return readFileSync(bootIdFile, 'utf8').trim();
  } catch {
    // Another system than Linux.
    return hostname();
  }
};
