/**
 * Who may import whom. The two tables below are the whole of it; `npm run check` holds the sources to them.
 *
 * A place is a folder or the beginning of a file's name: `sfu/src/state/redis` is redis.ts, redis-queue.ts and redis/….
 * A package is named with what may follow: `fastify` and `fastify/…`; a star stands for any ending. Types are imports too.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

const useCases = ['rooms', 'calls', 'people', 'safety', 'insights'].map((name) => `sfu/src/${name}`);

/** What the edges and the use cases see of everything below them. The implementations are taken out again in `onlyIn`. */
const interfaces = [
  'sfu/src/runtime',
  'sfu/src/state',
  'sfu/src/records',
  'sfu/src/cluster',
  'sfu/src/media/media-plane.ts',
];

/** What the code in a place may import: of ours, and (where `packages` is given) of others. */
const mayImport: { place: string; ours: string[]; packages?: string[] }[] = [
  { place: 'shared/src', ours: ['shared/src'], packages: ['zod/mini'] },
  { place: 'sfu/src', ours: ['sfu/src', 'shared/src'] },
  { place: 'sfu/src/rules', ours: ['sfu/src/rules', 'shared/src'], packages: [] },
  {
    place: 'sfu/src/media',
    ours: ['sfu/src/media', 'sfu/src/runtime', 'shared/src'],
    packages: ['mediasoup', 'node:*'],
  },
  { place: 'sfu/src/state', ours: ['sfu/src/state', 'sfu/src/rules', 'sfu/src/runtime', 'shared/src'] },
  { place: 'sfu/src/records', ours: ['sfu/src/records', 'sfu/src/rules', 'sfu/src/runtime', 'shared/src'] },
  ...useCases.map((place) => ({ place, ours: [...useCases, ...interfaces, 'sfu/src/rules', 'shared/src'] })),
  {
    place: 'sfu/src/gateway',
    ours: ['sfu/src/gateway', ...useCases, ...interfaces, 'sfu/src/rules', 'sfu/src/config.ts', 'shared/src'],
  },
  { place: 'web', ours: ['web', 'shared/src'] },
  {
    place: 'web/src/client',
    ours: ['web/src/client', 'shared/src'],
    packages: ['mediasoup-client', 'socket.io-client'],
  },
];

/** Packages and implementations that are known in one place alone (and in `everywhere`). */
const onlyIn: { what: string[]; place: string }[] = [
  { what: ['mediasoup'], place: 'sfu/src/media' },
  { what: ['ioredis'], place: 'sfu/src/state/redis' },
  { what: ['mongodb'], place: 'sfu/src/records/mongo' },
  { what: ['node:sqlite'], place: 'sfu/src/records/sqlite' },
  { what: ['socket.io', 'fastify', '@fastify/*'], place: 'sfu/src/gateway' },
  { what: ['@socket.io/redis-streams-adapter'], place: 'sfu/src/gateway/cluster' },
  ...['state/memory', 'state/redis', 'records/sqlite', 'records/mongo'].map((name) => ({
    what: [`sfu/src/${name}`],
    place: `sfu/src/${name}`,
  })),
];

/** The composition root (app.ts and what begins like it) and the commands build everything, tests and benchmarks look behind everything. */
const everywhere = (file: string): boolean =>
  isWithin(file, 'sfu/src/app') ||
  file.startsWith('sfu/src/cli/') ||
  /\.test\.tsx?$|\/(test|bench|e2e)\/|\.config\.ts$/.test(file);

type Import = { file: string; line: number; name: string; target: string; isOurs: boolean };

const isWithin = (file: string, place: string): boolean =>
  file === place || (file.startsWith(place) && '/.-'.includes(file.charAt(place.length)));

const isPackage = (name: string, wanted: string): boolean =>
  wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted || name.startsWith(`${wanted}/`);

const matches = (found: Import, wanted: string): boolean =>
  found.isOurs ? isWithin(found.target, wanted) : isPackage(found.target, wanted);

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const { program, errors } = parseSync(file, text);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  const found: Import[] = [];
  const add = (source: { type: string; start: number; value?: unknown } | null): void => {
    if (!source) return;
    const line = text.slice(0, source.start).split('\n').length;
    if (source.type !== 'Literal')
      throw new Error(`${file}:${line}: an import whose name is computed cannot be checked`);
    const name = String(source.value).replace(/\?.*$/, '');
    found.push({ file, line, name, ...resolved(file, name) });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
  }).visit(program);
  return found;
}

function resolved(file: string, name: string): { target: string; isOurs: boolean } {
  if (name.startsWith('.')) return { target: path.posix.join(path.posix.dirname(file), name), isOurs: true };
  if (name.startsWith('@rostrum/')) return { target: name.replace(/^@rostrum\/(\w+)/, '$1/src'), isOurs: true };
  return { target: name, isOurs: false };
}

function objections(found: Import): string[] {
  if (everywhere(found.file)) return [];
  const notAllowed = mayImport
    .filter(({ place }) => isWithin(found.file, place))
    .map(({ place, ours, packages }) => ({ place, names: found.isOurs ? ours : packages }))
    .filter(({ names }) => names && !names.some((wanted) => matches(found, wanted)))
    .map(({ place, names }) => `${place} may import ${names?.length ? `only ${names.join(', ')}` : 'no package'}`);
  const reserved = onlyIn
    .filter(({ what, place }) => what.some((wanted) => matches(found, wanted)) && !isWithin(found.file, place))
    .map(({ place }) => `only ${place} may`);
  return [...notAllowed, ...reserved];
}

const files = globSync('{shared,sfu,web}/**/*.{ts,tsx}', { exclude: ['**/node_modules/**', '**/dist/**'] });
const complaints = files
  .sort()
  .flatMap(importsOf)
  .flatMap((found) =>
    objections(found).map((why) => `${found.file}:${found.line}: imports '${found.name}', but ${why}`),
  );
for (const complaint of complaints) console.error(complaint);
console.log(`Import fences: ${files.length} files, ${complaints.length} problems`);
process.exitCode = complaints.length > 0 ? 1 : 0;
