import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openServing } from '../../src/records/sqlite/serving.ts';

const child = fileURLToPath(new URL('serving.child.ts', import.meta.url));

describe('who serves from the records of a folder', () => {
  let folder: string;
  let path: string;
  const running: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rostrum-serving-'));
    path = join(folder, 'data', 'serving.sqlite');
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(kill));
    await rm(folder, { recursive: true, force: true });
  });

  const kill = async (it: ChildProcess): Promise<void> => {
    if (it.exitCode !== null || it.signalCode !== null) return;
    const gone = once(it, 'exit');
    it.kill('SIGKILL');
    await gone;
  };

  /** Another process of this group, and the first thing that it says. */
  const another = async (group: string): Promise<{ process: ChildProcess; said: string }> => {
    const it = spawn(process.execPath, [child, path, group], { stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(it);
    const [said] = await once(createInterface({ input: it.stdout }), 'line');
    return { process: it, said: String(said) };
  };

  it('OP-4 nodes of one cluster serve together, however many begin at once', async () => {
    const begun = await Promise.all(Array.from({ length: 4 }, () => another('cluster a')));
    expect(begun.map(({ said }) => said)).toEqual(['serving', 'serving', 'serving', 'serving']);
  });

  it('OP-4 RM-3 nobody else serves beside them, and nothing is left when they are gone, killed or not', async () => {
    const { process: first } = await another('cluster a');
    expect((await another('alone')).said).toMatch(/^Another Rostrum serves .*REDIS_URL.*DATA_DIR/);
    expect(() => openServing({ path, group: 'cluster b' })).toThrow('Another Rostrum serves');
    expect((await another('cluster a')).said).toBe('serving');
    await kill(first);
    expect(() => openServing({ path, group: 'cluster b' }), 'one of them is there').toThrow('Another Rostrum serves');
    await Promise.all(running.map(kill));
    const other = openServing({ path, group: 'cluster b' });
    expect((await another('cluster a')).said).toMatch(/^Another Rostrum serves/);
    other.close();
    expect((await another('cluster a')).said).toBe('serving');
  });

  it('OP-4 of two groups that begin at once one serves at the most', async () => {
    for (let round = 0; round < 3; round += 1) {
      const begun = await Promise.all(['one', 'two', 'three'].map(another));
      expect(begun.filter(({ said }) => said === 'serving').length).toBeLessThanOrEqual(1);
      await Promise.all(running.splice(0).map(kill));
    }
  });

  it('RE-3 one process opens it again after it closed it', () => {
    openServing({ path, group: 'cluster a' }).close();
    const again = openServing({ path, group: 'alone' });
    expect(() => openServing({ path, group: 'cluster a' })).toThrow('Another Rostrum serves');
    again.close();
  });
});
