import { writeSync } from 'node:fs';
import { openSqliteRecords } from '../../src/records/sqlite/open.ts';
import { newId } from '../../src/runtime/ids.ts';

/**
 * Another process on a file of records: `node records.child.ts <file> <most> [more]`. It makes guests one after the other, up
 * to `most`, with `more` each with a block and a report besides, and prints the id of each (which is the report's too) as
 * soon as it is told that all of it was written. At a failure it prints the error's name, and whether the records say that
 * they are ready.
 */
const [path = '', most = '0', more] = process.argv.slice(2);
const print = (line: string): void => void writeSync(1, `${line}\n`);

const safetyOf = (byId: string): Promise<unknown>[] => {
  const userId = newId();
  const place = { kind: 'call', id: newId() } as const;
  const said = { statements: [{ type: 'spam', text: '', at: 1 }], evidence: '{}' } as const;
  return [
    records.blocks.put({ byId, userId, displayName: 'Bob', at: 1 }, 9),
    records.reports.file(
      { reportId: byId, byId, aboutId: userId, aboutName: 'Bob', place, ...said },
      { most: 9, merge: (_, now) => now },
    ),
  ];
};

const records = openSqliteRecords({ path, waitMs: 10_000 });
try {
  for (let count = 0; count < Number(most); count += 1) {
    const userId = newId();
    await Promise.all([
      records.users.put({ userId, displayName: 'x'.repeat(40), kind: 'guest', createdAt: 1, lastSeenAt: 1 }),
      ...(more === 'more' ? safetyOf(userId) : []),
    ]);
    print(userId);
  }
} catch (error) {
  print(`${error instanceof Error ? error.name : error} ready=${await records.ready()}`);
}
await records.close();
