import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type App, startApp } from './app.ts';
import { loadConfig, publicUrlOf } from './config.ts';
import { createPino } from './runtime/logger.ts';
import { createService } from './runtime/service.ts';

/** Longest that an orderly stop may take after the drain before the process ends all the same, in milliseconds. */
const closeLimitMs = 15_000;

const loaded = loadConfig(process.env);
if (!loaded.ok) {
  process.stderr.write(
    `Rostrum cannot start with this configuration:\n${loaded.problems.map((problem) => `  - ${problem}\n`).join('')}`,
  );
  process.exit(1);
}
const { config } = loaded;
const logger = createPino(config.logLevel);
const pages = fileURLToPath(new URL('../../web/dist', import.meta.url));

process.on('unhandledRejection', (reason) => {
  logger.fatal({ err: reason }, 'a promise was rejected and nobody handled it');
  process.exit(1);
});

const greet = (app: App): void => {
  const url = publicUrlOf(config, app.port);
  process.stdout.write(`\nRostrum is at ${url}\n`);
  // The link is a secret, so it goes to the terminal and never into the log (SE-4).
  if (app.adminClaim)
    process.stdout.write(`First administrator: open ${url}/claim/${app.adminClaim} (once, within a day)\n`);
  process.stdout.write('\n');
};

/** Why it could not start, for somebody who does not read logs. */
const inWords = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  const { cluster, port, workers, mediaPort } = config;
  const internal = cluster ? `${cluster.internalAddress.host}:${cluster.internalAddress.port}` : undefined;
  if (/EADDRINUSE|address already in use/.test(message)) {
    const others = internal === undefined ? '' : `, INTERNAL_ADDRESS ${internal}`;
    return (
      `A port is taken (${message}): PORT is ${port}${others}, and the media workers use ${workers} from MEDIA_PORT ${mediaPort} on. ` +
      `Is Rostrum running already? Otherwise set ${internal === undefined ? '' : 'INTERNAL_ADDRESS, '}PORT or MEDIA_PORT to others.`
    );
  }
  if (/EADDRNOTAVAIL|address not available/.test(message))
    return (
      `No network interface of this machine has the address that it is to listen on (${message}): HOST is ${config.host}` +
      `${internal === undefined ? '' : `, INTERNAL_ADDRESS ${internal}`}.`
    );
  return `Rostrum could not start: ${message}`;
};

const service = createService({
  start: async (fenced) => {
    const app = await startApp({ config, logger, pages, fenced });
    greet(app);
    return app;
  },
  exit: (code) => process.exit(code),
  stopLimitMs: config.limits.drainMs + closeLimitMs,
  now: () => performance.now(),
  sleep: (ms) => sleep(ms),
  logger,
});

try {
  await service.run();
  process.on('SIGINT', () => service.stop('SIGINT'));
  process.on('SIGTERM', () => service.stop('SIGTERM'));
} catch (error) {
  logger.fatal({ err: error }, 'Rostrum could not start');
  process.stderr.write(`${inWords(error)}\n`);
  process.exit(1);
}
