import type { CommandOutput } from '@rostrum/shared/protocol/index.ts';
import { codeOf, waitOf } from './errors.ts';
import type { Timers } from './timers.ts';
import type { Connection } from './types.ts';

/** Attempts where one node after the other has no room, and knows of another that has (RE-5). */
const attemptsMax = 4;

/**
 * Takes a seat and begins to listen, in one request. Where another node has room the server sends this connection there (MD-3), and
 * says when to ask again. @throws RostrumError
 */
export const sitDown = async (
  connection: Pick<Connection, 'request'>,
  roomId: string,
  timers: Timers,
): Promise<CommandOutput<'room:join'>> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(connection, roomId);
    } catch (error) {
      const wait = codeOf(error) === 'node_full' ? waitOf(error, 0) : 0;
      if (attempt === attemptsMax || wait === 0 || !(await timers.passes(wait))) throw error;
    }
  }
};

const ask = async (connection: Pick<Connection, 'request'>, roomId: string): Promise<CommandOutput<'room:join'>> => {
  try {
    return await connection.request('room:join', { roomId, listen: true });
  } catch (error) {
    // The server may take the seat after all, once nobody waits for it here any more: then it is given up again.
    const code = codeOf(error);
    if (code === 'timeout' || code === 'network') connection.request('room:leave', { roomId }).catch(() => undefined);
    throw error;
  }
};
