import { fileURLToPath } from 'node:url';
import { startApp } from './app.ts';
import { loadConfig, publicUrlOf } from './config.ts';
import { createPino } from './runtime/logger.ts';

/**
 * A second signal ends the process at once, but not within this time, in milliseconds: under `npm start` one Ctrl-C
 * arrives twice, from the terminal and from npm.
 */
const secondSignalMs = 1000;
/** Longest that an orderly stop may take before the process ends all the same, in milliseconds. */
const stopLimitMs = 15_000;

const loaded = loadConfig(process.env);
if (!loaded.ok) {
  process.stderr.write(
    `Rostrum cannot start with this configuration:\n${loaded.problems.map((problem) => `  - ${problem}\n`).join('')}`,
  );
  process.exit(1);
}
const { config } = loaded;
const logger = createPino(config.logLevel);

process.on('unhandledRejection', (reason) => {
  logger.fatal({ err: reason }, 'a promise was rejected and nobody handled it');
  process.exit(1);
});

try {
  const app = await startApp({ config, logger, pages: fileURLToPath(new URL('../../web/dist', import.meta.url)) });
  const url = publicUrlOf(config, app.port);
  process.stdout.write(`\nRostrum is at ${url}\n`);
  // The link is a secret, so it goes to the terminal and never into the log (SE-4).
  if (app.adminClaim)
    process.stdout.write(`First administrator: open ${url}/claim/${app.adminClaim} (once, within a day)\n`);
  process.stdout.write('\n');

  let stoppingSince: number | undefined;
  const stop = (signal: string): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > secondSignalMs) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), stopLimitMs).unref();
    app.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
} catch (error) {
  logger.fatal({ err: error }, 'Rostrum could not start');
  const taken = error instanceof Error && /EADDRINUSE|address already in use/.test(error.message);
  if (taken) {
    process.stderr.write(
      `A port is taken: PORT is ${config.port}, and the media workers use ${config.workers} from MEDIA_PORT ${config.mediaPort} on. ` +
        'Is Rostrum running already? Otherwise set PORT or MEDIA_PORT to others.\n',
    );
  }
  process.exit(1);
}
