import { readdir, readFile, readlink } from 'node:fs/promises';

/** What Linux tells of processes in /proc. Elsewhere, and of a process that is gone, these reject. */

/** Memory that a process has in use, in bytes. */
export const residentBytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
};

/** What a process has open, as the links in /proc name it: `socket:[123]`, `pipe:[45]`, the path of a file. */
const descriptorsOf = async (pid: number): Promise<string[]> => {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.allSettled((await readdir(folder)).map((name) => readlink(`${folder}/${name}`)));
  // One that was closed since is none.
  return links.flatMap((link) => (link.status === 'fulfilled' ? [link.value] : []));
};

/** How many descriptors a process has open, TCP connections aside: those of HTTP stay open for a while when nobody needs them. */
export const countDescriptors = async (pid: number): Promise<number> => {
  const connections = new Set((await socketLines('tcp')).map((columns) => `socket:[${columns[9]}]`));
  return (await descriptorsOf(pid)).filter((link) => !connections.has(link)).length;
};

/** The lines of a table of sockets, IPv6 included, in columns: see `tcp4_seq_show` and `udp4_format_sock` in Linux. */
const socketLines = async (protocol: 'tcp' | 'udp'): Promise<string[][]> => {
  const files = [protocol, `${protocol}6`].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => ''));
  const lines = (await Promise.all(files)).flatMap((table) => table.trim().split('\n').slice(1));
  return lines.map((line) => line.trim().split(/\s+/));
};

export type UdpSocket = { readonly port: number; readonly lost: number };

/**
 * The UDP sockets of a process, with how many datagrams came to each and found no room in its buffer: the local address is the second
 * column, the inode the tenth, the drops the last.
 */
export const udpSocketsOf = async (pid: number): Promise<UdpSocket[]> => {
  const own = new Set(await descriptorsOf(pid));
  return (await socketLines('udp'))
    .filter((columns) => own.has(`socket:[${columns[9]}]`))
    .map((columns) => ({
      port: Number.parseInt(columns[1]?.split(':').at(-1) ?? '', 16),
      lost: Number(columns.at(-1)),
    }));
};
