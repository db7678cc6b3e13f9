import type { ErrorCode } from '@rostrum/shared/errors.ts';
import type { SignedIn } from '@rostrum/shared/protocol/rest.ts';
import type { CreateRoom, RoomInfo } from '@rostrum/shared/protocol/room.ts';
import { Refused } from '../lib/refused.ts';
import type { LoadServer } from './load-server.ts';

/** As long as the web client waits, in milliseconds. */
const answerMs = 10_000;

/** What somebody shows at the door; the address is only said where the server believes it. */
export type Pass = { readonly token: string; readonly address: string | undefined };

export type Account = { readonly pass: Pass; readonly userId: string };

/** Signs a guest in, as the web client does. `number` tells them from all others of this load. @throws Refused */
export const signIn = async (server: LoadServer, number: number): Promise<Account> => {
  const address = server.forwarded ? forwardedAddress(number) : undefined;
  const { token, user } = await ask<SignedIn>(server, {
    method: 'POST',
    path: '/api/auth/guest',
    pass: { token: undefined, address },
    body: { displayName: `Load ${number}` },
  });
  return { pass: { token, address }, userId: user.userId };
};

/** @throws Refused */
export const createRoom = async (server: LoadServer, pass: Pass, room: CreateRoom): Promise<string> =>
  (await ask<RoomInfo>(server, { method: 'POST', path: '/api/rooms', pass, body: room })).roomId;

/** The house rules and the age, without which nobody is let into the queue for random calls. @throws Refused */
export const giveConsents = async (server: LoadServer, pass: Pass): Promise<void> => {
  const body = { houseRules: true, minimumAge: 99 };
  await ask(server, { method: 'PUT', path: '/api/me/consents', pass, body });
};

/** An address that nobody has: 198.18.0.0/15 is kept for benchmarks (RFC 2544). */
const forwardedAddress = (number: number): string =>
  `198.${18 + ((number >> 16) & 1)}.${(number >> 8) & 255}.${number & 255}`;

type Asked = {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly pass: { readonly token: string | undefined; readonly address: string | undefined };
  readonly body: object;
};

const ask = async <Output>({ url }: LoadServer, { method, path, pass, body }: Asked): Promise<Output> => {
  const response = await fetch(url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(pass.token === undefined ? {} : { authorization: `Bearer ${pass.token}` }),
      ...(pass.address === undefined ? {} : { 'x-forwarded-for': pass.address }),
    },
    body: JSON.stringify(body),
    // Whoever answers with another place does not decide where this load goes.
    redirect: 'error',
    signal: AbortSignal.timeout(answerMs),
  });
  if (!response.ok) throw await refusalOf(`${method} ${path}`, response);
  // What our own server answers with.
  return (await response.json()) as Output;
};

const refusalOf = async (what: string, response: Response): Promise<Refused> => {
  try {
    const { error } = (await response.json()) as { error: { code: ErrorCode; retryAfterMs?: number } };
    return new Refused(what, error.code, error.retryAfterMs);
  } catch {
    return new Refused(what, `http_${response.status}`);
  }
};
