import { type ErrorCode, wireError } from '@rostrum/shared/errors.ts';
import type { Limits } from '@rostrum/shared/limits.ts';
import { protocolVersion } from '@rostrum/shared/protocol/index.ts';
import { handshakeSchema } from '@rostrum/shared/protocol/session.ts';
import type { Accounts } from '../../people/accounts.ts';
import type { Tokens } from '../../people/tokens.ts';
import type { Traces } from '../../records/records.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { RateLimits } from '../rate-limits.ts';
import type { RequestOrigin } from '../request-origin.ts';
import { Places } from './places.ts';
import type { RostrumSocket, SocketData } from './types.ts';

export type AdmissionDependencies = {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly origin: RequestOrigin;
  readonly rateLimits: Pick<RateLimits, 'command'>;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly newId: () => string;
  /** False while the server stops: nobody new is taken. */
  readonly accepting: () => boolean;
};

/** Why a handshake is refused; or undefined, and `socket.data` says who this is. */
export type Admission = (socket: RostrumSocket) => Promise<ErrorCode | undefined>;

/** What a handshake costs of a person's points a second (SE-2): about as much as a join. */
const handshakePoints = 3;

/** Who may connect: whom a token names (ID-4), who is not too many (ID-5, RE-5), on which session (RE-2). */
export const createAdmission = (dependencies: AdmissionDependencies): Admission => {
  const { tokens, accounts, origin, rateLimits, newId, accepting, limits } = dependencies;
  const places = new Places(limits);
  return async (socket) => {
    if (!accepting()) return 'unavailable';
    const claimed: unknown = socket.handshake.auth;
    if (protocolOf(claimed) !== protocolVersion) return 'unsupported_protocol';
    const handshake = handshakeSchema.safeParse(claimed);
    if (!handshake.success) return 'unauthorized';
    const identity = await tokens.verify(handshake.data.token);
    if (!identity) return 'unauthorized';
    const { address, traces } = origin.of(socket.request);
    if ((await rateLimits.command(identity.userId, address, handshakePoints)) !== undefined) return 'rate_limited';
    const known = await accounts.find(identity.userId);
    if (!known) return 'unauthorized';
    noteVisit(dependencies, identity.userId, traces);
    const sessionId = handshake.data.sessionId ?? newId();
    // From here on nothing waits, so the place is that of this socket.
    if (!takePlace(places, socket, { address, userId: identity.userId, sessionId })) return 'rate_limited';
    const data: SocketData = {
      plan: identity.plan,
      person: { userId: identity.userId, displayName: known.displayName, kind: known.kind, ...traces },
      sessionId,
      continues: handshake.data.sessionId !== undefined,
      address,
      expiresAt: identity.expiresAt,
      roomId: undefined,
      inFlight: 0,
    };
    socket.data = data;
    return undefined;
  };
};

/** When a person was here is not worth refusing them for while records cannot be written (RE-4). */
const noteVisit = ({ accounts, logger }: AdmissionDependencies, userId: string, traces: Traces): void => {
  accounts.seen(userId, traces).catch((error: unknown) => logger.warn({ err: error }, 'a visit could not be noted'));
};

const takePlace = (places: Places, socket: RostrumSocket, holder: Parameters<Places['take']>[0]): boolean => {
  const { conn } = socket;
  // A connection that is gone already would never give its place back.
  if (conn.readyState !== 'open') return false;
  const giveBack = places.take(holder);
  if (!giveBack) return false;
  // A socket whose connection breaks before it is open is not heard of again but by that connection.
  conn.once('close', giveBack);
  socket.once('disconnect', () => {
    conn.off('close', giveBack);
    giveBack();
  });
  return true;
};

const protocolOf = (claimed: unknown): unknown =>
  typeof claimed === 'object' && claimed !== null && 'protocol' in claimed ? claimed.protocol : undefined;

/** The error that Socket.IO gives to the client's `connect_error`, with the wire error in `data`. */
export const refusalError = (code: ErrorCode): Error => Object.assign(new Error(code), { data: wireError({ code }) });
