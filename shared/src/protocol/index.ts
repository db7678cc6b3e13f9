import type * as z from 'zod/mini';
import type { Ack, CommandSchema, InputOf, OutputOf } from './common.ts';
import { mediaCommands, mediaEvents } from './media.ts';
import { randomCommands, randomEvents } from './random.ts';
import { roomCommands, roomEvents } from './room.ts';
import { sessionCommands, sessionEvents } from './session.ts';

/**
 * The version of everything in this folder. A test pins it by a hash of all schemas: whoever changes what goes over the
 * wire changes it here, and a client of another version is told so at the handshake (`unsupported_protocol`).
 */
export const protocolVersion = 1;

/** Every command that a client sends over the socket. */
export const commands = {
  ...sessionCommands,
  ...roomCommands,
  ...mediaCommands,
  ...randomCommands,
} as const satisfies Record<string, CommandSchema>;
/** Every event that the server sends over the socket. */
export const events = { ...sessionEvents, ...roomEvents, ...mediaEvents, ...randomEvents } as const;

export type CommandName = keyof typeof commands;
export type EventName = keyof typeof events;
export type CommandInput<Name extends CommandName> = InputOf<(typeof commands)[Name]>;
export type CommandOutput<Name extends CommandName> = OutputOf<(typeof commands)[Name]>;
export type EventPayload<Name extends EventName> = z.output<(typeof events)[Name]>;

/** Socket.IO's map of what the client sends: each command with its acknowledgement. */
export type ClientToServerEvents = {
  [name in CommandName]: (
    input: z.input<(typeof commands)[name]['input']>,
    ack: (answer: Ack<CommandOutput<name>>) => void,
  ) => void;
};
/** Socket.IO's map of what the server sends. */
export type ServerToClientEvents = { [name in EventName]: (payload: EventPayload<name>) => void };
