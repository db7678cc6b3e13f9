import { type ErrorCode, errorTable, type WireError } from '@rostrum/shared/errors.ts';
import type { ReportType } from '@rostrum/shared/protocol/call.ts';
import type { RandomService } from '@rostrum/shared/protocol/random.ts';
import type {
  Consents,
  joinAnswerSchema,
  moderationLogSchema,
  participantsSchema,
  RoomCard,
  RoomList,
  SignedIn,
} from '@rostrum/shared/protocol/rest.ts';
import type { CreateRoom, RoomChanges, RoomInfo, roomCategories } from '@rostrum/shared/protocol/room.ts';
import { causedBy, fromWire, RostrumError, unanswered, unreachable } from './errors.ts';

/** What a schema parses to, without a word of zod in this package. */
type Output<Schema extends { readonly _zod: { readonly output: unknown } }> = Schema['_zod']['output'];

export type Participants = Output<typeof participantsSchema>;
export type JoinAnswer = Output<typeof joinAnswerSchema>;
export type ModerationLog = Output<typeof moderationLogSchema>;
export type RoomCategory = (typeof roomCategories)[number];

/** A page of a list of rooms: `cursor` is `nextCursor` of the page before, `limit` 1 to 100 (20). */
export type RoomPage = { readonly cursor?: string | undefined; readonly limit?: number };
/** A page of the people of a room, from 1; `query` searches their names. */
export type PeoplePage = {
  readonly page?: number;
  readonly limit?: number;
  readonly query?: string;
  /** Only the audience; without it the stage comes first. */
  readonly role?: 'listener';
};

export type ApiOptions = {
  /** Where the server is, such as `https://rooms.example`. By default where the page came from. */
  readonly url?: string | undefined;
  /** The token of the person who asks, or undefined before they signed in. */
  readonly getToken?: () => string | undefined | Promise<string | undefined>;
};

/** The HTTP API. Every method @throws RostrumError, after 10 s at the latest. */
export interface Api {
  /** ID-1: signs a guest in with a display name. */
  signInGuest(displayName: string): Promise<SignedIn>;
  /** ID-2: a new token for one that is still valid. */
  refresh(token: string): Promise<SignedIn>;
  /** OP-7: makes the first administrator, with the code of the one-time link. */
  claimAdmin(code: string, displayName: string): Promise<SignedIn>;
  createRoom(room: CreateRoom): Promise<RoomInfo>;
  listRooms(page?: RoomPage): Promise<RoomList>;
  listCategory(category: RoomCategory, page?: RoomPage): Promise<RoomList>;
  getRoom(roomId: string): Promise<RoomCard>;
  updateRoom(roomId: string, changes: RoomChanges): Promise<void>;
  endRoom(roomId: string): Promise<void>;
  listParticipants(roomId: string, page?: PeoplePage): Promise<Participants>;
  moderationLog(roomId: string): Promise<ModerationLog>;
  /** Whether and how this person may join, without taking a seat. */
  checkJoin(roomId: string): Promise<JoinAnswer>;
  /** SF-1: reports somebody in a room; a second report of them adds to the first. */
  reportPerson(roomId: string, userId: string, report: { type: ReportType; text: string }): Promise<void>;
  /** Whether random calls are on, and how many people are there (RQ-7, RQ-8); for everybody, signed in or not. */
  randomService(): Promise<RandomService>;
  /** ID-8: what this person has accepted. */
  consents(): Promise<Consents>;
  /** ID-8: adds to what this person has accepted. */
  giveConsent(consent: { houseRules?: true; minimumAge?: number }): Promise<void>;
  /** SF-4: no match, no call, no invitation between the two. */
  block(userId: string): Promise<void>;
  unblock(userId: string): Promise<void>;
}

/** Time limit of one request. */
const requestMs = 10_000;

type Request = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
};

export const createApi = (options: ApiOptions = {}): Api => {
  const call = <Answer>(request: Request): Promise<Answer> => send<Answer>(options, request);
  const tell = async (request: Request): Promise<void> => {
    await call(request);
  };
  const room = (roomId: string): string => `/api/rooms/${encodeURIComponent(roomId)}`;
  const block = (userId: string): string => `/api/me/blocks/${encodeURIComponent(userId)}`;
  return {
    signInGuest: (displayName) => call({ method: 'POST', path: '/api/auth/guest', body: { displayName } }),
    refresh: (token) => call({ method: 'POST', path: '/api/auth/refresh', body: { token } }),
    claimAdmin: (code, displayName) =>
      call({ method: 'POST', path: '/api/auth/claim-admin', body: { code, displayName } }),
    createRoom: (body) => call({ method: 'POST', path: '/api/rooms', body }),
    listRooms: (page = {}) => call({ method: 'GET', path: '/api/rooms', query: page }),
    listCategory: (category, page = {}) =>
      call({ method: 'GET', path: `/api/rooms/category/${category}`, query: page }),
    getRoom: (roomId) => call({ method: 'GET', path: room(roomId) }),
    updateRoom: (roomId, changes) => tell({ method: 'PATCH', path: room(roomId), body: changes }),
    endRoom: (roomId) => tell({ method: 'DELETE', path: room(roomId) }),
    listParticipants: (roomId, page = {}) => call({ method: 'GET', path: `${room(roomId)}/participants`, query: page }),
    moderationLog: (roomId) => call({ method: 'GET', path: `${room(roomId)}/moderation` }),
    checkJoin: (roomId) => call({ method: 'POST', path: `${room(roomId)}/join`, body: {} }),
    reportPerson: (roomId, userId, report) =>
      tell({ method: 'POST', path: `${room(roomId)}/report`, body: { userId, ...report } }),
    randomService: () => call({ method: 'GET', path: '/api/random' }),
    consents: () => call({ method: 'GET', path: '/api/me/consents' }),
    giveConsent: (consent) => tell({ method: 'PUT', path: '/api/me/consents', body: consent }),
    block: (userId) => tell({ method: 'PUT', path: block(userId) }),
    unblock: (userId) => tell({ method: 'DELETE', path: block(userId) }),
  };
};

const send = async <Answer>({ url = '', getToken }: ApiOptions, request: Request): Promise<Answer> => {
  const token = await getToken?.();
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  const signal = AbortSignal.timeout(requestMs);
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}${request.path}${queryOf(request)}`, {
      method: request.method,
      headers,
      signal,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    const text = await response.text();
    if (response.ok) return parse(text) as Answer;
    throw errorOf(response, parse(text));
  } catch (error) {
    if (error instanceof RostrumError) throw error;
    throw signal.aborted ? unanswered(error) : unreachable(error);
  }
};

const queryOf = ({ query = {} }: Request): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
};

const parse = (text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    // A proxy in front of the server answers with a page of its own.
    throw causedBy(cause, 'unavailable', errorTable.unavailable.message);
  }
};

/** What a proxy's bare status most likely means. */
const codeOfStatus = (status: number): ErrorCode => {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  if (status === 413) return 'too_large';
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'unavailable' : 'invalid';
};

const isWireError = (value: unknown): value is WireError =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  'message' in value &&
  typeof value.message === 'string';

/** The error that an answer carries: the server's own, or what its status says. */
const errorOf = (response: Pick<Response, 'status' | 'headers'>, body: unknown): RostrumError => {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  if (isWireError(error)) return fromWire(error);
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new RostrumError(codeOfStatus(response.status), `The server answered with status ${response.status}.`, {
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
};
