import * as z from 'zod/mini';
import type { HeldSession, KnownNode, NodeRecord } from '../cluster-store.ts';
import { corrupt } from './corrupt.ts';
import { readerOf } from './json.ts';

/** What is read back of nodes and sessions. Fields that are not known here are kept (room-values.ts). */
const node = z.looseObject({
  nodeId: z.string(),
  name: z.string(),
  version: z.string(),
  protocol: z.int(),
  machine: z.string(),
  internalAddress: z.string(),
  draining: z.boolean(),
  load: z.looseObject({
    sockets: z.number(),
    rooms: z.number(),
    consumers: z.number(),
    // A node of the version before, which is there during a rolling update, does not say it.
    full: z._default(z.boolean(), false),
  }),
  seenAt: z.int(),
  agreement: z.exactOptional(
    z.looseObject({ secret: z.string(), records: z.string(), settings: z.record(z.string(), z.string()) }),
  ),
});

/** A node as it is written: what it says of itself, and when it was seen. */
export type SeenNode = NodeRecord & Pick<KnownNode, 'seenAt'>;

export const readNode: (text: string, where: string) => SeenNode = readerOf(node);

/** What `nodeStates` holds of a node. */
export const living = 'living';
export const givenUp = 'given-up';

/** A session and the node that holds it. */
export type Place = Omit<HeldSession, 'roomId'> & { readonly nodeId: string };

/*
 * A session that a node holds is a member of one sorted set, all with the same score: so they stand in the order of their bytes,
 * and those of one node together. A person's id comes last: a provider of identities may give one with blanks in it.
 */
export const heldMember = ({ nodeId, sessionId, userId }: Place): string => `${nodeId} ${sessionId} ${userId}`;

/** @throws CorruptState */
export const readHeldMember = (member: string): Place => {
  const [, nodeId, sessionId, userId] = /^(\S+) (\S+) (.+)$/s.exec(member) ?? [];
  if (nodeId === undefined || sessionId === undefined || userId === undefined)
    return corrupt('a held session', 'names no session');
  return { nodeId, sessionId, userId };
};

/** The range of all members of a node, in the words of ZRANGEBYLEX. `!` comes next after a blank. */
export const membersOf = (nodeId: string, behind?: string): readonly [string, string] => [
  behind === undefined ? `[${nodeId} ` : `(${behind}`,
  `(${nodeId}!`,
];

/** The fields of a session in the hash of a person. */
export const placeField = (sessionId: string): string => `at ${sessionId}`;
export const roomField = (sessionId: string): string => `room ${sessionId}`;

/** What stands for no room. */
const nowhere = '';
export const roomText = (roomId: string | null): string => roomId ?? nowhere;
export const readRoom = (text: string | null | undefined): string | null =>
  text === undefined || text === nowhere ? null : text;

/** Fields and values in turn, as HGETALL answers. */
export const pairsOf = (answer: readonly (string | null)[]): Map<string, string> => {
  const pairs = new Map<string, string>();
  for (let index = 0; index + 1 < answer.length; index += 2) {
    const [field, value] = [answer[index], answer[index + 1]];
    if (typeof field === 'string' && typeof value === 'string') pairs.set(field, value);
  }
  return pairs;
};
