import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configTable, withTable } from '../config-table.ts';

/** Writes the table of all variables into README.md. With `--check` it changes nothing, and fails where the table is old. */
const readme = fileURLToPath(new URL('../../../README.md', import.meta.url));
const text = readFileSync(readme, 'utf8');
const fresh = withTable(text, configTable());

if (fresh === text) process.exit(0);
if (process.argv.includes('--check')) {
  process.stderr.write(
    'The configuration table in README.md is old. Run: deploy/env node sfu/src/cli/config-table.ts\n',
  );
  process.exit(1);
}
writeFileSync(readme, fresh);
