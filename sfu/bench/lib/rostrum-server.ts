/** A process with a whole Rostrum server, as `sfu/src/main.ts` starts it, and a gauge on its workers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { createPino } from '../../src/runtime/logger.ts';
import { serveParent } from './child.ts';
import { Gauge } from './gauge.ts';
import { measuredMethods } from './measured.ts';

const gauge = new Gauge();
// The nodes of a cluster share a folder, which whoever started them removes.
const shared = process.env['DATA_DIR'];
const dataDir = shared ?? (await mkdtemp(join(tmpdir(), 'rostrum-bench-')));
const loaded = loadConfig({ ...process.env, DATA_DIR: dataDir });
if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
const { config } = loaded;
const app = await startApp({ config, logger: createPino(config.logLevel) });

serveParent({ port: app.port }, measuredMethods(gauge), async () => {
  await app.close();
  if (shared === undefined) await rm(dataDir, { recursive: true, force: true });
});
