import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllEnvs();
});

type Chunk = Rolldown.OutputChunk;

/** WB-7, in bytes. */
const mostBytes = 110_000;

/**
 * What somebody loads who opens the link of a room and listens: the page, and of what it loads when it is needed the room, the
 * connection, the SDK's room, and what speaks WebRTC. Each with everything that it imports.
 */
const loaded = [
  'src/main.tsx',
  'src/features/room/room-page.tsx',
  'src/client/connection.ts',
  'src/client/room.ts',
  'node_modules/mediasoup-client/lib/index.js',
];

const built = async (): Promise<Map<string, Chunk>> => {
  // As for people: in a test it would be built with what helps to debug.
  vi.stubEnv('NODE_ENV', 'production');
  const root = fileURLToPath(new URL('..', import.meta.url));
  const result = await build({ root, logLevel: 'silent', build: { write: false } });
  if (!('output' in result)) throw new Error('nothing was built');
  const chunks = result.output.filter((part) => part.type === 'chunk');
  return new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
};

it('WB-7 listening to a room loads less than 110 kB of compressed JavaScript', async () => {
  const chunks = await built();
  const needed = new Set<Chunk>();
  const need = (chunk: Chunk | undefined): void => {
    if (chunk === undefined || needed.has(chunk)) return;
    needed.add(chunk);
    for (const name of chunk.imports) need(chunks.get(name));
  };
  for (const module of loaded) {
    const chunk = [...chunks.values()].find(({ moduleIds }) => moduleIds.some((id) => id.endsWith(`/${module}`)));
    expect(chunk, `${module} is in no file`).toBeDefined();
    need(chunk);
  }
  const sizes = [...needed].map(({ fileName, code }): [string, number] => [
    fileName,
    gzipSync(code, { level: 9 }).length,
  ]);
  const bytes = sizes.reduce((sum, [, size]) => sum + size, 0);
  expect(bytes, sizes.map(([name, size]) => `${size} ${name}`).join('\n')).toBeLessThan(mostBytes);
  // Whoever only listens loads nothing of 1:1 calls.
  expect([...needed].flatMap(({ moduleIds }) => moduleIds.filter((id) => id.includes('/features/random/')))).toEqual(
    [],
  );
}, 60_000);
