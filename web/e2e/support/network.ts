import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A second machine in miniature: a network namespace with a cable (veth) to ours. Whoever runs in it reaches us at
 * `address`, and nobody else; the cable can be cut and mended. Needs root, as tests have on the machines that run them.
 */
export type FarNetwork = {
  /** Our end of the cable. */
  readonly address: string;
  /** A Chromium that runs at the far end. */
  readonly chromium: string;
  /** Drops every packet, in both directions, until `mend`. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  remove(): Promise<void>;
};

export const createFarNetwork = async (): Promise<FarNetwork> => {
  const name = `rostrum-${process.pid}`;
  const [near, far] = [`rn${process.pid % 100_000}`, `rf${process.pid % 100_000}`];
  // From the block for tests of network devices (RFC 2544), so that it meets no real network.
  const [address, farAddress] = ['198.18.77.1', '198.18.77.2'];
  const folder = await mkdtemp(join(tmpdir(), 'rostrum-far-'));
  const chromium = join(folder, 'chromium');
  const browser = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
  await writeFile(chromium, `#!/bin/sh\nexec ip netns exec ${name} ${browser} "$@"\n`);
  await chmod(chromium, 0o755);
  await run('ip', ['netns', 'add', name]);
  await run('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name]);
  await run('ip', ['addr', 'add', `${address}/30`, 'dev', near]);
  await run('ip', ['link', 'set', near, 'up']);
  await run('ip', ['-n', name, 'addr', 'add', `${farAddress}/30`, 'dev', far]);
  await run('ip', ['-n', name, 'link', 'set', far, 'up']);
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  // A browser that may not list its interfaces finds its address by the default route.
  await run('ip', ['-n', name, 'route', 'add', 'default', 'via', address]);
  const drop = (verb: '-I' | '-D') =>
    Promise.all(
      ['INPUT', 'OUTPUT'].map((chain) =>
        run('ip', [
          'netns',
          'exec',
          name,
          'iptables',
          verb,
          chain,
          '!',
          chain === 'INPUT' ? '-i' : '-o',
          'lo',
          '-j',
          'DROP',
        ]),
      ),
    );
  return {
    address,
    chromium,
    cut: async () => {
      await drop('-I');
    },
    mend: async () => {
      await drop('-D');
    },
    remove: async () => {
      await run('ip', ['netns', 'del', name]);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
