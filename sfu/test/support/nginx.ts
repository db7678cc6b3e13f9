import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../media/harness.ts';
import { writeCertificate } from './certificate-files.ts';
import { freePort } from './free-port.ts';

/** The configuration that is given to operators. */
const configurationFile = fileURLToPath(new URL('../../../deploy/nginx/nginx.conf', import.meta.url));

export type Nginx = {
  readonly url: string;
  /** Over TLS, with a certificate that nobody knows. */
  readonly secureUrl: string;
  /** What it logged about requests. */
  accessLog(): Promise<string>;
  stop(): Promise<void>;
};

/** nginx of the system; `deploy/setup --tests` brings it. Debian keeps it where only root's PATH looks. */
const program = 'nginx';
const path = `${process.env['PATH']}:/usr/sbin`;

/**
 * A real nginx with the configuration that is given to operators: of that only the ports, the nodes, and where its files are,
 * are others; and TLS is switched on, as it says.
 */
export const startNginx = async (nodePorts: readonly number[]): Promise<Nginx> => {
  const folder = await mkdtemp(join(tmpdir(), 'rostrum-nginx-'));
  const [port, securePort] = [await freePort(), await freePort()];
  const { certificate, key } = await writeCertificate(folder);
  const text = configure(await readFile(configurationFile, 'utf8'), { nodePorts, port, securePort })
    .replace('/etc/nginx/rostrum/fullchain.pem', certificate)
    .replace('/etc/nginx/rostrum/privkey.pem', key)
    .replaceAll('/var/log/nginx/', `${folder}/`);
  const file = join(folder, 'nginx.conf');
  await writeFile(file, text);
  const child = spawn(program, ['-p', folder, '-c', file, '-g', `daemon off; pid ${join(folder, 'pid')};`], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await listening(child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    secureUrl: `https://127.0.0.1:${securePort}`,
    accessLog: () => readFile(join(folder, 'access.log'), 'utf8'),
    stop,
  };
};

type Ports = { readonly nodePorts: readonly number[]; readonly port: number; readonly securePort: number };

/** Puts these ports in; every place has to be there, or the file is not the one that this was written for. */
const configure = (text: string, { nodePorts, port, securePort }: Ports): string => {
  let configured = text;
  const swap = (from: RegExp, times: number, to: (rest: string) => string): void => {
    const found = [...configured.matchAll(from)].length;
    if (found !== times) throw new Error(`${from} is in nginx.conf ${found} times, not ${times} times`);
    configured = configured.replaceAll(from, (_, rest: string) => to(rest));
  };
  swap(/^ {4}server 127\.0\.0\.1:3000 (.*);\n {4}server 127\.0\.0\.1:3100 \1;$/gm, 2, (rest) =>
    nodePorts.map((nodePort) => `    server 127.0.0.1:${nodePort} ${rest};`).join('\n'),
  );
  swap(/# (listen (?:\[::\]:)?443|ssl_|add_header Strict)/g, 7, (rest) => rest);
  swap(/(listen (?:\[::\]:)?)80 /g, 2, (listen) => `${listen}${port} `);
  swap(/(listen (?:\[::\]:)?)443 /g, 2, (listen) => `${listen}${securePort} `);
  return configured;
};

const listening = async (child: ChildProcess, port: number): Promise<void> => {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const failed = once(child, 'exit').then(() => {
    throw new Error(`nginx did not start: ${said}`);
  });
  const answers = until('nginx listens', async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  });
  await Promise.race([answers, failed]);
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
};
