import { readFile } from 'node:fs/promises';

/**
 * Datagrams that the system threw away because the UDP socket of this port had no room for them; undefined where the
 * system does not say (it does on Linux).
 */
export const lostDatagrams = async (port: number): Promise<number | undefined> => (await lostIn('udp')).get(port);

/** The same of every UDP port there is, IPv6 included; nothing where the system does not say. */
export const lostDatagramsByPort = async (): Promise<ReadonlyMap<number, number>> => {
  const [four, six] = await Promise.all([lostIn('udp'), lostIn('udp6')]);
  return new Map([...four, ...[...six].map(([port, lost]) => [port, lost + (four.get(port) ?? 0)] as const)]);
};

const lostIn = async (table: 'udp' | 'udp6'): Promise<ReadonlyMap<number, number>> => {
  const lost = new Map<number, number>();
  try {
    const [, ...lines] = (await readFile(`/proc/net/${table}`, 'utf8')).trim().split('\n');
    for (const line of lines) {
      // The columns are those of `udp4_format_sock` in Linux: the local address is the second, the drops are the last.
      const columns = line.trim().split(/\s+/);
      const port = Number.parseInt(columns[1]?.split(':')[1] ?? '', 16);
      lost.set(port, (lost.get(port) ?? 0) + Number(columns.at(-1)));
    }
  } catch {
    // Another system.
  }
  return lost;
};
