import { readFile } from 'node:fs/promises';

/**
 * Datagrams that the system threw away because the UDP socket of this port had no room for them; undefined where the
 * system does not say (it does on Linux).
 */
export const lostDatagrams = async (port: number): Promise<number | undefined> => {
  try {
    const [, ...lines] = (await readFile('/proc/net/udp', 'utf8')).trim().split('\n');
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    // The columns are those of `udp4_format_sock` in Linux: the local address is the second, the drops are the last.
    const sockets = lines.map((line) => line.trim().split(/\s+/)).filter(([, local]) => local?.endsWith(wanted));
    return sockets.length === 0 ? undefined : sockets.reduce((total, columns) => total + Number(columns.at(-1)), 0);
  } catch {
    return undefined;
  }
};
