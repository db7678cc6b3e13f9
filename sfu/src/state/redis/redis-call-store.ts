import { type CallMode, callModes } from '@rostrum/shared/protocol/call.ts';
import type { History, Ticket } from '../../rules/matching/ticket.ts';
import { newId } from '../../runtime/ids.ts';
import type {
  CallCommit,
  CallCounts,
  CallStore,
  Claim,
  DueCallDeadline,
  LoadedCall,
  Place,
  QueuePosition,
  StoredTicket,
  TicketEntry,
} from '../call-store.ts';
import { restoreCall, restoreTicket } from './call-restore.ts';
import { readCall, readHistory, readTicket } from './call-values.ts';
import {
  claim,
  clearDeadline,
  commitCall,
  enqueue,
  type NewStamp,
  readPosition,
  removeTicket,
  updateTicket,
} from './call-writes.ts';
import type { RedisConnection } from './connection.ts';
import { corrupt } from './corrupt.ts';
import { readCallDeadline, readMembers } from './deadline-members.ts';
import { readCount } from './json.ts';
import { type Position, placeBehind, readLineMember } from './line-position.ts';
import { Recent } from './recent.ts';
import { Transaction } from './transaction.ts';

/** Tickets kept by this node, about a kilobyte each: as many as may wait by default, so that each is read once a node. */
const ticketsKept = 10_000;

/** The store of calls for a cluster. What is under which key is in keys.ts, what is written in call-writes.ts. */
export const createRedisCallStore = (redis: RedisConnection): CallStore => new RedisCallStore(redis);

type KnownTicket = { readonly stamp: string; readonly stored: StoredTicket };
/** Somebody on a page of the queue, as they stood there. */
type Listed = ReturnType<typeof readLineMember>;

/** Tickets that are read at a time. */
const batch = 500;

class RedisCallStore implements CallStore {
  readonly #redis: RedisConnection;
  readonly #known = new Recent<KnownTicket>(ticketsKept);

  /** A ticket is known by its stamp before it is written: where it is not written after all, nobody comes upon the stamp. */
  readonly #newStamp: NewStamp = (stored) => {
    const stamp = newId();
    this.#known.set(stored.ticket.seeker.userId, { stamp, stored });
    return stamp;
  };

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async placeOf(userId: string): Promise<Place> {
    const person = this.#redis.keys.person(userId);
    const transaction = new Transaction();
    const step = transaction.step('HMGET', person, 'at', 'id');
    const [at, id] = (await this.#redis.read(transaction)).texts(step);
    if (typeof at !== 'string' || typeof id !== 'string') return { at: 'nowhere' };
    if (at === 'queue') return { at, ticketId: id };
    return at === 'call' ? { at, callId: id } : corrupt(person.name, 'is at no place that there is');
  }

  async historyOf(userId: string): Promise<History | undefined> {
    const key = this.#redis.keys.history(userId);
    const transaction = new Transaction();
    const step = transaction.step('GET', key);
    const text = (await this.#redis.read(transaction)).text(step);
    return text === null ? undefined : readHistory(text, key.name);
  }

  async enqueue(
    entry: TicketEntry,
    { most, expiresAt }: { most: number; expiresAt: number },
  ): ReturnType<CallStore['enqueue']> {
    const { transaction, position } = enqueue(this.#redis.keys, entry, { most, newStamp: this.#newStamp });
    const reply = await this.#redis.writeBy(transaction, expiresAt);
    return reply.code === 'done' ? { outcome: 'enqueued', ...position(reply.results) } : { outcome: reply.code };
  }

  async ticketOf(userId: string): Promise<StoredTicket | undefined> {
    const [found] = await this.#tickets([userId]);
    return found?.stored;
  }

  async updateTicket(
    stored: StoredTicket,
    after: TicketEntry,
    { expiresAt }: { expiresAt: number },
  ): Promise<'updated' | 'conflict' | 'expired'> {
    const transaction = updateTicket(this.#redis.keys, stored, { after, newStamp: this.#newStamp });
    const { code } = await this.#redis.writeBy(transaction, expiresAt);
    return code === 'done' ? 'updated' : code;
  }

  async removeTicket(userId: string, ticketId: string): Promise<boolean> {
    const { code } = await this.#redis.write(removeTicket(this.#redis.keys, userId, ticketId));
    return code === 'done';
  }

  /**
   * One round trip for the order, and another for tickets that this node has neither written nor read. Who left in between is passed
   * over, and more are read in their place.
   */
  async waiting(mode: CallMode, { after, most }: { after?: Ticket; most: number }): Promise<StoredTicket[]> {
    const found: StoredTicket[] = [];
    let behind = after && placeBehind(after);
    while (found.length < most) {
      const wanted = most - found.length;
      const page = await this.#page(mode, wanted, behind);
      found.push(...(await this.#presentOf(mode, page.listed)));
      behind = page.last;
      if (page.listed.length < wanted) break;
    }
    return found;
  }

  async positionOf(ticket: Ticket): Promise<QueuePosition | undefined> {
    const { keys } = this.#redis;
    const transaction = new Transaction<'gone'>();
    transaction.guard('gone', 'equals', keys.person(ticket.seeker.userId), 'id', ticket.ticketId);
    const position = readPosition(transaction, keys, ticket);
    const reply = await this.#redis.readIf(transaction);
    return reply.code === 'done' ? position(reply.results) : undefined;
  }

  async claim(wanted: Claim): Promise<'claimed' | 'lost' | 'full' | 'expired'> {
    const { code } = await this.#redis.writeBy(claim(this.#redis.keys, wanted), wanted.expiresAt);
    return code === 'done' ? 'claimed' : code;
  }

  async load(callId: string): Promise<LoadedCall | undefined> {
    const key = this.#redis.keys.call(callId);
    const transaction = new Transaction();
    const step = transaction.step('HMGET', key, 'version', 'call');
    const [version = null, call = null] = (await this.#redis.read(transaction)).texts(step);
    return call === null ? undefined : { call: readCall(call, key.name), version: readCount(version, key.name) };
  }

  async commit(
    commit: CallCommit,
  ): Promise<{ outcome: 'committed'; version: number } | { outcome: 'conflict' | 'expired' | 'gone' }> {
    const { code } = await this.#redis.writeBy(commitCall(this.#redis.keys, commit, this.#newStamp), commit.expiresAt);
    return code === 'done' ? { outcome: 'committed', version: commit.version + 1 } : { outcome: code };
  }

  async callIds(): Promise<string[]> {
    const transaction = new Transaction();
    const step = transaction.step('SMEMBERS', this.#redis.keys.calls);
    return (await this.#redis.read(transaction)).texts(step).filter((callId) => callId !== null);
  }

  async counts(): Promise<CallCounts> {
    const { keys } = this.#redis;
    const transaction = new Transaction();
    const lines = callModes.map((mode) => transaction.step('ZCARD', keys.line(mode)));
    const calls = transaction.step('SCARD', keys.calls);
    const results = await this.#redis.read(transaction);
    const waiting = lines.reduce((sum, line) => sum + results.count(line), 0);
    return { waiting, calls: results.count(calls) };
  }

  async due(now: number, most: number): Promise<DueCallDeadline[]> {
    const transaction = new Transaction();
    const words = ['-inf', now, 'WITHSCORES', 'LIMIT', 0, most];
    const step = transaction.step('ZRANGEBYSCORE', this.#redis.keys.callDeadlines, ...words);
    const members = readMembers((await this.#redis.read(transaction)).texts(step));
    return members.flatMap((member) => readCallDeadline(member) ?? []);
  }

  async clearDeadline(due: DueCallDeadline): Promise<void> {
    await this.#redis.write(clearDeadline(this.#redis.keys, due));
  }

  restoreCall(call: LoadedCall, options: Parameters<CallStore['restoreCall']>[1]): Promise<void> {
    return restoreCall(this.#redis, call, options);
  }

  restoreTicket(stored: StoredTicket, options: Parameters<CallStore['restoreTicket']>[1]): Promise<void> {
    return restoreTicket(this.#redis, stored, options);
  }

  async #page(
    mode: CallMode,
    most: number,
    behind: Position | undefined,
  ): Promise<{ listed: Listed[]; last: Position | undefined }> {
    const transaction = new Transaction();
    const words = ['up', behind?.score ?? '', behind?.member ?? '', most];
    const step = transaction.step('page', this.#redis.keys.present(mode), ...words);
    const { members, score } = (await this.#redis.read(transaction)).page(step);
    const member = members.at(-1);
    return { listed: members.map(readLineMember), last: member === undefined ? undefined : { score, member } };
  }

  /** The tickets of a page, without those who left this line since it was read. */
  async #presentOf(mode: CallMode, page: readonly Listed[]): Promise<StoredTicket[]> {
    const known = new Map<string, KnownTicket>();
    for (const { userId, stamp } of page) {
      const ticket = this.#known.get(userId);
      if (ticket?.stamp === stamp) known.set(userId, ticket);
    }
    const unknown = page.map(({ userId }) => userId).filter((userId) => !known.has(userId));
    for (const found of await this.#tickets(unknown)) known.set(found.stored.ticket.seeker.userId, found);
    return page.flatMap(({ userId, ticketId }) => {
      const stored = known.get(userId)?.stored;
      return stored && stands(stored.ticket, { ticketId, mode }) ? [stored] : [];
    });
  }

  /** The tickets of these people, of those who have one. */
  async #tickets(userIds: readonly string[]): Promise<KnownTicket[]> {
    const found: KnownTicket[] = [];
    for (let first = 0; first < userIds.length; first += batch)
      found.push(...(await this.#batchOfTickets(userIds.slice(first, first + batch))));
    return found;
  }

  async #batchOfTickets(userIds: readonly string[]): Promise<KnownTicket[]> {
    const { keys } = this.#redis;
    const transaction = new Transaction();
    const steps = userIds.map((userId) =>
      transaction.step('HMGET', keys.person(userId), 'member', 'version', 'ticket'),
    );
    const results = await this.#redis.read(transaction);
    return userIds.flatMap((userId, index) => {
      const [member = null, version = null, text = null] = results.texts(steps[index] ?? 0);
      if (member === null || text === null) return [];
      const { stamp } = readLineMember(member);
      const known = this.#known.get(userId);
      if (known?.stamp === stamp) return [known];
      const where = keys.person(userId).name;
      const read = { stamp, stored: { ticket: readTicket(text, where), version: readCount(version, where) } };
      this.#known.set(userId, read);
      return [read];
    });
  }
}

/** Whether this ticket stands in the line of those who are present in this mode, and is the one that stood there. */
const stands = (ticket: Ticket, { ticketId, mode }: { ticketId: string; mode: CallMode }): boolean =>
  ticket.ticketId === ticketId && ticket.search.mode === mode && ticket.awaySince === null;
