import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { sizes } from '../src/limits.ts';
import * as call from '../src/protocol/call.ts';
import * as common from '../src/protocol/common.ts';
import { commands, events, protocolVersion } from '../src/protocol/index.ts';
import * as listening from '../src/protocol/listening.ts';
import * as media from '../src/protocol/media.ts';
import * as random from '../src/protocol/random.ts';
import * as rest from '../src/protocol/rest.ts';
import * as room from '../src/protocol/room.ts';
import * as session from '../src/protocol/session.ts';

/**
 * The hash of everything that goes over the wire, by protocol version. Clients and servers of one version understand each
 * other; so whoever changes a schema adds a line here and sets `protocolVersion` to it. A version that has been released
 * keeps its line.
 */
const pinned: { readonly [version: number]: string } = {
  1: '694c768d9496204ae9eb726fcbe99c9d',
};

const isSchema = (value: unknown): value is z.ZodMiniType =>
  typeof value === 'object' && value !== null && '_zod' in value;

const dumpOf = (schema: z.ZodMiniType): unknown =>
  (['input', 'output'] as const).map((io) => z.toJSONSchema(schema, { io, unrepresentable: 'any' }));

const exported = (module: object): [string, unknown][] =>
  Object.entries(module)
    .filter((entry): entry is [string, z.ZodMiniType] => isSchema(entry[1]))
    .map(([name, schema]) => [name, dumpOf(schema)]);

/** What a written text may hold is a function in the schema, of which a dump says nothing: so it is tried out. */
const refusedCharacters = (schema: z.ZodMiniType): number[] =>
  Array.from({ length: 0x3000 }, (_, code) => code).filter(
    (code) => !schema.safeParse(`a${String.fromCodePoint(code)}b`).success,
  );

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};

test('SE-1 the protocol version changes with what goes over the wire', () => {
  const wire = {
    commands: Object.entries(commands).map(([name, { input, output }]) => [name, dumpOf(input), dumpOf(output)]),
    events: Object.entries(events).map(([name, schema]) => [name, dumpOf(schema)]),
    others: [call, common, listening, media, random, rest, room, session].map(exported),
    texts: [refusedCharacters(common.line(0, 10)), refusedCharacters(common.paragraph(10))],
    sizes,
  };
  const hash = createHash('sha256')
    .update(JSON.stringify(sorted(wire)))
    .digest('hex')
    .slice(0, 32);
  expect(
    hash,
    [
      `What goes over the wire is no longer what protocol version ${protocolVersion} says.`,
      'If that version was released, add 1 to protocolVersion in shared/src/protocol/index.ts and pin the new hash under it.',
      'If it was not, pin the new hash in its place.',
    ].join(' '),
  ).toBe(pinned[protocolVersion]);
});
