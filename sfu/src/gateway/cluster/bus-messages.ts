import { sizes } from '@rostrum/shared/limits.ts';
import { id } from '@rostrum/shared/protocol/common.ts';
import { type EventName, events, protocolVersion } from '@rostrum/shared/protocol/index.ts';
import {
  type RoomViewEventName,
  roleSchema,
  roomSettingsSchema,
  roomViewEvents,
  viewNames,
} from '@rostrum/shared/protocol/room.ts';
import * as z from 'zod/mini';
import type { BusMessage } from '../../cluster/bus.ts';
import type { RoomMediaState } from '../../media/media-plane.ts';
import { callValue, ticketValue } from '../../state/call-values.ts';
import { roomControlValue, seatValue, standingValue } from '../../state/room-values.ts';

/**
 * What nodes tell each other, as it goes over the bus. Whoever can write to Redis is believed in what a message says, but it is
 * checked to be one: another version of Rostrum, or another program, must not bring a node down.
 */

/** The version of this file. A node that is told something in another one cannot follow it, and says so. */
const busVersion = 1;

/**
 * Characters of a message: some times the longest there are, which are the record of a room with 200 hands, the description of a
 * session that is passed on (SE-5), and the ticket of somebody who has blocked many.
 */
const longestMessage = 4 * sizes.message;

/** A message on its way: who tells it, and how many that node has told with it. Without a message it only says how many. */
export type Envelope = { readonly from: string; readonly count: number; readonly message?: BusMessage };

const session = z.strictObject({ userId: id, sessionId: id });
const eventName = z.enum(namesOf(events));
const payload = z.record(z.string(), z.unknown());
const told = { name: eventName, payload };

const viewEvent = z.strictObject({
  name: z.enum(namesOf(roomViewEvents)),
  view: z.enum(viewNames),
  userId: z.nullable(id),
  payload: z.looseObject({ roomId: id, view: z.enum(viewNames), sequence: z.int() }),
});

const nodeId = z.string().check(z.regex(/^[\x21-\x7e]{1,160}$/));
const producerId = z.string().check(z.minLength(1), z.maxLength(64));

/** Maps go as lists of their entries. */
const mediaState = z.pipe(
  z.strictObject({
    roomId: id,
    version: z.int(),
    audioQuality: roomSettingsSchema.shape.audioQuality,
    stage: z.array(z.tuple([id, z.strictObject({ sessionId: id })])),
    microphones: z.array(
      z.tuple([id, z.strictObject({ ...session.shape, producerId, muted: z.boolean(), node: z.optional(nodeId) })]),
    ),
  }),
  z.transform(
    ({ stage, microphones, ...state }): RoomMediaState => ({
      ...state,
      stage: new Map(stage),
      microphones: new Map(microphones),
    }),
  ),
);

const version = z.int().check(z.gte(0));
const storedTicket = z.strictObject({ ticket: ticketValue, version });
const listBy = <Value>(value: z.ZodMiniType<Value>) => z.array(z.tuple([z.string(), value]));

const busMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('room-views'), roomId: id, events: z.array(viewEvent) }),
  z.strictObject({ kind: z.literal('to-room'), roomId: id, ...told }),
  z.strictObject({ kind: z.literal('to-seat'), roomId: id, userId: id, ...told }),
  z.strictObject({ kind: z.literal('to-session'), session, ...told }),
  z.strictObject({ kind: z.literal('to-watchers'), ...told }),
  z.strictObject({
    kind: z.literal('enter'),
    roomId: id,
    seat: z.strictObject({ ...session.shape, role: roleSchema }),
  }),
  z.strictObject({
    kind: z.literal('expel'),
    roomId: id,
    seat: z.strictObject({ userId: id, sessionId: z.exactOptional(id) }),
    farewell: z.exactOptional(z.strictObject(told)),
  }),
  z.strictObject({ kind: z.literal('close-room'), roomId: id }),
  z.strictObject({ kind: z.literal('session-taken'), session, nodeId }),
  z.strictObject({ kind: z.literal('media-state'), state: mediaState }),
  z.strictObject({
    kind: z.literal('media-release'),
    roomId: id,
    userId: id,
    exceptSessionId: z.exactOptional(id),
    movedTo: z.exactOptional(nodeId),
  }),
  z.strictObject({ kind: z.literal('media-close'), roomId: id }),
  z.strictObject({
    kind: z.literal('room-copy'),
    roomId: id,
    version,
    place: version,
    control: z.exactOptional(roomControlValue),
    sequences: z.strictObject({ room: z.int(), stage: z.int(), staff: z.int(), self: listBy(z.int()) }),
    audience: listBy(z.nullable(seatValue)),
    standings: listBy(z.nullable(standingValue)),
  }),
  z.strictObject({ kind: z.literal('call-copy'), call: callValue, version, tickets: z.array(storedTicket) }),
  z.strictObject({ kind: z.literal('ticket-copy'), stored: storedTicket }),
  z.strictObject({ kind: z.literal('ticket-gone'), userId: id, ticketId: id }),
]) satisfies z.ZodMiniType<BusMessage>;

const versions = z.looseObject({ bus: z.int(), protocol: z.int() });
const envelope = z.strictObject({
  bus: z.literal(busVersion),
  protocol: z.literal(protocolVersion),
  from: nodeId,
  count: z.int().check(z.gte(0)),
  message: z.exactOptional(busMessage),
}) satisfies z.ZodMiniType<Envelope>;

/** The text of a message; undefined for one that is too long to be told. */
export const encodeEnvelope = ({ from, count, message }: Envelope): string | undefined => {
  const text = JSON.stringify({ bus: busVersion, protocol: protocolVersion, from, count, message: plain(message) });
  return text.length <= longestMessage ? text : undefined;
};

/** What a text says; or what is wrong with it. */
export const decodeEnvelope = (text: string): Envelope | { readonly problem: 'malformed' | 'another version' } => {
  if (text.length > longestMessage) return { problem: 'malformed' };
  const parsed = parseJson(text);
  const version = versions.safeParse(parsed);
  if (!version.success) return { problem: 'malformed' };
  if (version.data.bus !== busVersion || version.data.protocol !== protocolVersion)
    return { problem: 'another version' };
  const valid = envelope.safeParse(parsed);
  return valid.success ? valid.data : { problem: 'malformed' };
};

const plain = (message: BusMessage | undefined): object | undefined => {
  if (message?.kind !== 'media-state') return message;
  const { state } = message;
  return { ...message, state: { ...state, stage: [...state.stage], microphones: [...state.microphones] } };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

function namesOf<Name extends EventName | RoomViewEventName>(schemas: Readonly<Record<Name, unknown>>): Name[] {
  // An object's own keys are the names that its type lists.
  return Object.keys(schemas) as Name[];
}
