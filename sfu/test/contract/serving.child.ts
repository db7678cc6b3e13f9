import { openServing } from '../../src/records/sqlite/serving.ts';

/** Serves until it is killed: `serving`, or why it does not. */
const [path = '', group = ''] = process.argv.slice(2);
try {
  openServing({ path, group });
  process.stdout.write('serving\n');
  setInterval(() => undefined, 60_000);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
