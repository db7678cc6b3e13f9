import { join } from 'node:path';
import { loadConfig, publicUrlOf } from '../config.ts';
import { Accounts } from '../people/accounts.ts';
import { authSecret } from '../people/auth-secret.ts';
import { createTokens } from '../people/tokens.ts';
import { openSqliteRecords } from '../records/sqlite/open.ts';
import { systemClock } from '../runtime/clock.ts';

const help = `Prints a one-time link that makes an administrator (OP-7).

  npm run admin

It works on the same DATA_DIR, AUTH_SECRET and PUBLIC_URL as the server, which may run meanwhile. Whoever opens the link
says a name, and is an administrator. It takes the place of links that were printed before and not used.
`;

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

const run = async (): Promise<void> => {
  if (process.argv.length > 2) {
    process.stdout.write(help);
    return;
  }
  const loaded = loadConfig(process.env);
  if (!loaded.ok) return fail(loaded.problems.join('\n'));
  const { config } = loaded;
  const { limits } = config;
  const records = openSqliteRecords({ path: join(config.dataDir, 'rostrum.sqlite') });
  try {
    const secret = authSecret({ configured: config.authSecret, dataDir: config.dataDir });
    const tokens = createTokens({ secret, clock: systemClock, lifetimeMs: limits.tokenLifetimeMs });
    const code = await new Accounts({ records, tokens, clock: systemClock, limits }).openClaim();
    const until = new Date(systemClock.now() + limits.adminClaimMs).toISOString();
    process.stdout.write(`${publicUrlOf(config, config.port)}/claim/${code}\n`);
    process.stderr.write(`Good once, until ${until}.\n`);
  } finally {
    await records.close();
  }
};

run().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
