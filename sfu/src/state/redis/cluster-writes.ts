import type { HeldSession, SessionRef } from '../cluster-store.ts';
import { givenUp, heldMember, living, placeField, roomField, roomText, type SeenNode } from './cluster-values.ts';
import type { Key, Keys } from './keys.ts';
import { Transaction } from './transaction.ts';

/**
 * How long what nodes hold stays after the last of them was seen, in milliseconds: longer than any outage after which somebody
 * still waits for their room.
 */
const keptMs = 86_400_000;

/** A node as it is known, with the text that it was read from. */
export type Known = { readonly node: SeenNode; readonly text: string };

/** Writes a node that begins, if its name is still that node's which it was; and gives that one up. */
export const enlistNode = (keys: Keys, node: SeenNode, earlier: Known | undefined): Transaction<'changed'> => {
  const transaction = new Transaction<'changed'>();
  if (earlier === undefined) transaction.guard('changed', 'absent', keys.nodeNames, node.name);
  else {
    transaction.guard('changed', 'equals', keys.nodeNames, node.name, earlier.node.nodeId);
    transaction.guard('changed', 'equals', keys.nodes, earlier.node.nodeId, earlier.text);
    transaction.step('HSET', keys.nodeStates, earlier.node.nodeId, givenUp);
  }
  transaction.step('HSET', keys.nodeNames, node.name, node.nodeId);
  transaction.step('HSET', keys.nodeStates, node.nodeId, living);
  transaction.step('HSET', keys.nodes, node.nodeId, JSON.stringify(node));
  keep(transaction, [keys.nodes, keys.nodeStates, keys.nodeNames]);
  return transaction;
};

/** Writes a node that lives, and keeps what these people have of it. */
export const beatNode = (keys: Keys, node: SeenNode, userIds: Iterable<string>): Transaction<'fenced'> => {
  const transaction = new Transaction<'fenced'>();
  transaction.guard('fenced', 'equals', keys.nodeStates, node.nodeId, living);
  transaction.step('HSET', keys.nodes, node.nodeId, JSON.stringify(node));
  const sessions = [...userIds].map((userId) => keys.sessions(userId));
  keep(transaction, [keys.nodes, keys.nodeStates, keys.nodeNames, keys.held, ...sessions]);
  return transaction;
};

/** Gives a node up that was not seen since it was read. */
export const giveUpNode = (keys: Keys, { node, text }: Known): Transaction<'changed'> => {
  const transaction = new Transaction<'changed'>();
  transaction.guard('changed', 'equals', keys.nodeStates, node.nodeId, living);
  transaction.guard('changed', 'equals', keys.nodes, node.nodeId, text);
  transaction.step('HSET', keys.nodeStates, node.nodeId, givenUp);
  transaction.step('HDEL', keys.nodeNames, node.name);
  return transaction;
};

/** Lets a node hold nothing more, so that what it holds comes to an end. */
export const closeNode = (keys: Keys, { nodeId, name }: SeenNode): Transaction<'given-up'> => {
  const transaction = new Transaction<'given-up'>();
  transaction.guard('given-up', 'equals', keys.nodeStates, nodeId, living);
  transaction.step('HSET', keys.nodeStates, nodeId, givenUp);
  transaction.step('HDEL', keys.nodeNames, name);
  return transaction;
};

/** Removes a node that holds nothing any more. */
export const removeNode = (keys: Keys, nodeId: string): Transaction => {
  const transaction = new Transaction();
  transaction.step('HDEL', keys.nodes, nodeId);
  transaction.step('HDEL', keys.nodeStates, nodeId);
  return transaction;
};

/** Takes a session over: from whatever node holds it, only where none does (`free`), or only where this one does (`own`). */
export const holdSession = (
  keys: Keys,
  nodeId: string,
  session: HeldSession,
  from: 'anywhere' | 'free' | 'own' = 'anywhere',
): Transaction<'given-up' | 'elsewhere'> => {
  const { userId, sessionId, roomId } = session;
  const transaction = new Transaction<'given-up' | 'elsewhere'>();
  const person = keys.sessions(userId);
  const member = heldMember({ nodeId, sessionId, userId });
  transaction.guard('given-up', 'equals', keys.nodeStates, nodeId, living);
  if (from === 'free') transaction.guard('elsewhere', 'absent', person, placeField(sessionId));
  if (from === 'own') transaction.guard('elsewhere', 'equals', person, placeField(sessionId), member);
  transaction.step('unlist', keys.held, person, placeField(sessionId));
  transaction.step('ZADD', keys.held, 0, member);
  transaction.step('HSET', person, placeField(sessionId), member, roomField(sessionId), roomText(roomId));
  keep(transaction, [keys.held, person]);
  return transaction;
};

/** Releases a session, if this node holds it. */
export const releaseSession = (keys: Keys, nodeId: string, session: SessionRef): Transaction<'other'> => {
  const { userId, sessionId } = session;
  const transaction = new Transaction<'other'>();
  const member = heldMember({ nodeId, sessionId, userId });
  transaction.guard('other', 'scored', keys.held, member, 0);
  transaction.step('ZREM', keys.held, member);
  transaction.step('HDEL', keys.sessions(userId), placeField(sessionId), roomField(sessionId));
  return transaction;
};

const keep = <Code extends string>(transaction: Transaction<Code>, kept: readonly Key[]): void => {
  for (const key of kept) transaction.step('PEXPIRE', key, keptMs);
};
