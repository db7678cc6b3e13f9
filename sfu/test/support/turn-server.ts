import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeCertificate } from './certificate-files.ts';
import type { Network } from './namespaces.ts';

/** The configuration that is given to operators. */
export const configurationFile = fileURLToPath(new URL('../../../deploy/coturn/turnserver.conf', import.meta.url));

export type TurnServerOptions = {
  readonly secret: string;
  /** Another configuration than the one that is given to operators. */
  readonly configuration?: string;
  /** More options, which take the place of those in the configuration. */
  readonly options?: readonly string[];
};

export type TurnServer = {
  /** What it said until it was ready. */
  readonly said: string;
  stop(): Promise<void>;
};

/** How long coturn may take to get ready; it takes a tenth of a second. */
const readyMs = 10_000;

/**
 * A real coturn on that machine, with the configuration that is given to operators. What belongs to one server comes on the
 * command line: addresses, the secret, the certificate. Resolves when it listens.
 */
export const startTurnServer = async <Name extends string>(
  network: Network<Name>,
  name: Name,
  { secret, configuration = configurationFile, options = [] }: TurnServerOptions,
): Promise<TurnServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'rostrum-turn-'));
  const files = await writeCertificate(folder);
  const { ipv4, ipv6 } = network.host(name);
  const child = network.spawn(name, 'turnserver', [
    '-c',
    configuration,
    `--listening-ip=${ipv4}`,
    `--listening-ip=${ipv6}`,
    `--static-auth-secret=${secret}`,
    `--cert=${files.certificate}`,
    `--pkey=${files.key}`,
    `--pidfile=${join(folder, 'pid')}`,
    ...options,
  ]);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { said: await ready(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** Giving up root is the last thing that coturn does before it serves, and it says so. Answers what it said until then. */
const ready = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = '';
    const failed = (why: unknown): void => {
      clearTimeout(timer);
      reject(new Error(`coturn did not start (${String(why)}): ${said}`));
    };
    const timer = setTimeout(failed, readyMs, 'no answer');
    child.once('error', failed);
    child.once('exit', failed);
    // What it says later is read all the same, or it would wait for a reader.
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        if (said.includes('New UID: ')) return;
        said += chunk.toString();
        if (!said.includes('New UID: ')) return;
        clearTimeout(timer);
        resolve(said);
      });
  });
