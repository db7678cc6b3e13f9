import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../sfu/test/support/free-port.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export type Server = { readonly url: string; readonly process: ChildProcess; stop(): Promise<void> };

/** The server as `npm start` runs it, on free ports and a folder of its own. Stopped by SIGTERM to its process alone. */
export const startServer = async (env: Record<string, string> = {}, address = '127.0.0.1'): Promise<Server> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rostrum-e2e-'));
  const port = await freePort();
  const child = spawn(join(root, 'deploy/start'), {
    cwd: root,
    env: {
      ...process.env,
      PORT: String(port),
      MEDIA_PORT: String(await freePort()),
      MEDIA_ADDRESS: address,
      WORKERS: '1',
      DATA_DIR: dataDir,
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = `http://${address}:${port}`;
  await Promise.race([
    waitForLine(child, /Rostrum is at/),
    once(child, 'exit').then(() => {
      throw new Error('the server did not start');
    }),
  ]);
  return {
    url,
    process: child,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

const waitForLine = (child: ChildProcess, pattern: RegExp): Promise<void> =>
  new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-10_000);
      if (pattern.test(text)) resolve();
    });
  });
