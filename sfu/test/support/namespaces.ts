import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The addresses by which the others reach one of the machines. */
export type Host = { readonly ipv4: string; readonly ipv6: string };

/**
 * A few machines in miniature: each a network namespace, all on one router that is another. Their addresses look public (they
 * lie in no range that is special), and exist nowhere but in there; nobody in there reaches the real network. Needs root, as
 * tests have on the machines that run them.
 */
export type Network<Name extends string> = {
  host(name: Name): Host;
  /** Starts a program on that machine. What still runs when the network is removed is killed. */
  spawn(name: Name, command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Runs a program there to its end, and answers what it said. */
  run(name: Name, command: string, args: readonly string[]): Promise<string>;
  /** Gives the machine one more address, which only it knows. */
  addAddress(name: Name, address: string): Promise<void>;
  /** The router drops what goes from one to the other, both ways: all of it, or what the match (of iptables) says. */
  forbid(one: Name, other: Name, match?: readonly string[]): Promise<void>;
  /** Takes all of that back. */
  allowAll(): Promise<void>;
  remove(): Promise<void>;
};

type SpawnOptions = { readonly ipc?: boolean };

/** iproute2, which makes namespaces and enters them. */
const ip = 'ip';
const prefix = 'rostrum-net';
let networks = 0;

/** Makes the network, or throws and leaves nothing behind. */
export const createNetwork = async <Name extends string>(names: readonly Name[]): Promise<Network<Name>> => {
  await sweep();
  networks += 1;
  const namespaceOf = (name: string): string => `${prefix}-${process.pid}-${networks}-${name}`;
  const host = (name: Name): Host => {
    const number = names.indexOf(name) + 1;
    return { ipv4: `31.10.${number}.2`, ipv6: `2a0d:1:${number}::2` };
  };
  const entering = (name: string): string[] => ['netns', 'exec', namespaceOf(name)];
  const inside = (name: string, command: string, args: readonly string[]): Promise<{ stdout: string }> =>
    run(ip, [...entering(name), command, ...args]);
  const remove = async (): Promise<void> => {
    for (const name of [...names, 'router']) await removeNamespace(namespaceOf(name));
  };
  try {
    for (const name of [...names, 'router']) await addNamespace(namespaceOf(name));
    for (const [index, name] of names.entries()) await connect(namespaceOf(name), namespaceOf('router'), index + 1);
    for (const setting of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'])
      await inside('router', 'sh', ['-c', `echo 1 >/proc/sys/net/${setting}`]);
  } catch (error) {
    await remove();
    throw error;
  }
  const drop = async (from: Host, to: Host, match: readonly string[]): Promise<void> => {
    await inside('router', 'iptables', ['-A', 'FORWARD', '-s', from.ipv4, '-d', to.ipv4, ...match, '-j', 'DROP']);
    await inside('router', 'ip6tables', ['-A', 'FORWARD', '-s', from.ipv6, '-d', to.ipv6, ...match, '-j', 'DROP']);
  };
  return {
    host,
    spawn: (name, command, args, { ipc = false } = {}) =>
      spawn(ip, [...entering(name), command, ...args], {
        stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
        serialization: 'advanced',
      }),
    run: async (name, command, args) => (await inside(name, command, args)).stdout,
    addAddress: async (name, address) => {
      await run(ip, ['-n', namespaceOf(name), 'addr', 'add', address, 'dev', 'lo']);
    },
    forbid: async (one, other, match = []) => {
      await drop(host(one), host(other), match);
      await drop(host(other), host(one), match);
    },
    allowAll: async () => {
      for (const command of ['iptables', 'ip6tables']) await inside('router', command, ['-F', 'FORWARD']);
    },
    remove,
  };
};

const addNamespace = async (namespace: string): Promise<void> => {
  await run(ip, ['netns', 'add', namespace]);
  await run(ip, ['-n', namespace, 'link', 'set', 'dev', 'lo', 'up']);
};

/** A cable (veth) from the host to the router. */
const connect = async (namespace: string, router: string, number: number): Promise<void> => {
  const port = `port${number}`;
  const inHost = (...args: string[]) => run(ip, ['-n', namespace, ...args]);
  const inRouter = (...args: string[]) => run(ip, ['-n', router, ...args]);
  await inHost('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', port, 'netns', router);
  await inHost('addr', 'add', `31.10.${number}.2/24`, 'dev', 'eth0');
  await inRouter('addr', 'add', `31.10.${number}.1/24`, 'dev', port);
  // Nobody else has the address, so there is no second to wait in which that would be asked (RFC 4862 section 5.4).
  await inHost('addr', 'add', `2a0d:1:${number}::2/64`, 'dev', 'eth0', 'nodad');
  await inRouter('addr', 'add', `2a0d:1:${number}::1/64`, 'dev', port, 'nodad');
  await inHost('link', 'set', 'dev', 'eth0', 'up');
  await inRouter('link', 'set', 'dev', port, 'up');
  await inHost('route', 'add', 'default', 'via', `31.10.${number}.1`);
  await inHost('route', 'add', 'default', 'via', `2a0d:1:${number}::1`);
};

/** Kills whatever runs in it, and deletes it. One that is not there is fine. */
const removeNamespace = async (namespace: string): Promise<void> => {
  for (let tries = 0; tries < 50; tries += 1) {
    const pids = await run(ip, ['netns', 'pids', namespace]).catch(() => ({ stdout: '' }));
    const running = pids.stdout.split('\n').filter(Boolean).map(Number);
    if (running.length === 0) break;
    for (const pid of running) kill(pid);
    await pause(20);
  }
  await run(ip, ['netns', 'del', namespace]).catch(() => undefined);
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
};

/** What earlier runs left that were killed before they could clean up. */
const sweep = async (): Promise<void> => {
  const { stdout } = await run(ip, ['netns', 'list']);
  for (const line of stdout.split('\n')) {
    const [namespace = ''] = line.split(' ');
    const pid = new RegExp(`^${prefix}-(\\d+)-`).exec(namespace)?.[1];
    if (pid !== undefined && !(await isAlive(pid))) await removeNamespace(namespace);
  }
};

/** A process that ended may be there as a zombie until somebody asks for it (proc(5): the state comes after the name). */
const isAlive = async (pid: string): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
};
