import { writeSync } from 'node:fs';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { newId } from '../../src/runtime/ids.ts';

/**
 * Another process on a file of records: `node records.child.ts <file> <most>`. It makes guests one after the other, up to
 * `most`, and prints the id of each as soon as it is told that it was written. At a failure it prints the error's name,
 * and whether the records say that they are ready.
 */
const [path = '', most = '0'] = process.argv.slice(2);
const print = (line: string): void => void writeSync(1, `${line}\n`);

const records = openSqliteRecords({ path, waitMs: 10_000 });
try {
  for (let count = 0; count < Number(most); count += 1) {
    const userId = newId();
    await records.users.put({ userId, displayName: 'x'.repeat(40), kind: 'guest', createdAt: 1, lastSeenAt: 1 });
    print(userId);
  }
} catch (error) {
  print(`${error instanceof Error ? error.name : error} ready=${await records.ready()}`);
}
await records.close();
