import { effect, type ReadonlySignal, signal } from '@preact/signals';
import type { RoomCard } from '@rostrum/shared/protocol/rest.ts';
import type { Api } from '../../client/api.ts';
import type { Connection, RoomPhase, RoomSession } from '../../client/types.ts';
import type { Messages } from '../../i18n/index.ts';
import type { Auth } from '../auth.ts';
import { describeRoomFailure, type Failure } from '../failures.ts';
import type { RoomStore } from './store.ts';

/** How the room came to an end for this person. */
export type Farewell = Extract<RoomPhase, { phase: 'left' | 'ended' | 'removed' | 'elsewhere' }>;

/** The way into a room and out of it: each state with what its screen needs. */
export type Entrance =
  /** Nobody is signed in: a name is asked for. */
  | { readonly state: 'asking'; readonly preview: RoomCard | undefined }
  | { readonly state: 'joining'; readonly preview: RoomCard | undefined }
  | { readonly state: 'inside'; readonly room: RoomStore }
  | { readonly state: 'refused'; readonly failure: Failure }
  | { readonly state: 'gone'; readonly farewell: Farewell; readonly title: string };

export type EntranceStore = {
  readonly state: ReadonlySignal<Entrance>;
  /** Goes in, or asks for a name first. */
  enter(): void;
  /** Gives up the seat. */
  leave(): Promise<void>;
  /** Lets go without giving up the seat, for a page that goes away and may come back: `enter` goes in again. */
  suspend(): void;
};

type EntranceOptions = {
  readonly roomId: string;
  readonly auth: Auth;
  readonly api: Pick<Api, 'getRoom'>;
  readonly messages: () => Messages;
  /** The connection of this page; a new one when the last was closed. */
  readonly connect: () => Promise<Connection>;
  readonly join: (connection: Connection, roomId: string) => Promise<RoomSession>;
  readonly build: (session: RoomSession) => RoomStore;
};

const isFarewell = (phase: RoomPhase): phase is Farewell =>
  phase.phase === 'left' || phase.phase === 'ended' || phase.phase === 'removed' || phase.phase === 'elsewhere';

const asking: Entrance = { state: 'asking', preview: undefined };

/** The room as it is seen before a name is given. Where that is not to be had, the name is asked for all the same. */
const previewOf = async (api: EntranceOptions['api'], roomId: string, messages: Messages): Promise<Entrance> => {
  try {
    return { state: 'asking', preview: await api.getRoom(roomId) };
  } catch (error) {
    const failure = describeRoomFailure(error, messages);
    return failure.code === 'not_found' || failure.code === 'room_ended' ? { state: 'refused', failure } : asking;
  }
};

/** A refusal is final, but for a sign-in that ran out: then the name is asked for again. */
const refusalOf = (error: unknown, messages: Messages): Entrance => {
  const failure = describeRoomFailure(error, messages);
  return failure.code === 'unauthorized' ? asking : { state: 'refused', failure };
};

export const createEntrance = (options: EntranceOptions): EntranceStore => {
  const { roomId, auth, api, messages, connect, join, build } = options;
  const state = signal<Entrance>({ state: 'joining', preview: undefined });
  /** What an earlier attempt still brings is let go of. */
  let attempt = 0;
  let over = false;
  let stop: (() => void) | undefined;

  const quit = () => {
    stop?.();
    stop = undefined;
    const present = state.peek();
    if (present.state !== 'inside') return;
    present.room.dispose();
    present.room.session.dispose();
  };
  const ask = async (mine: number) => {
    // The question comes together with the preview: nothing moves under the hand of somebody who writes their name.
    state.value = { state: 'joining', preview: undefined };
    const next = await previewOf(api, roomId, messages());
    if (mine === attempt) state.value = next;
  };
  const refuse = (error: unknown) => {
    state.value = refusalOf(error, messages());
    if (state.peek().state === 'asking') auth.signOut();
  };
  const settle = (session: RoomSession) => {
    const room = build(session);
    state.value = { state: 'inside', room };
    const onPhase = (phase: RoomPhase) => {
      if (phase.phase !== 'refused' && !isFarewell(phase)) return;
      const { title } = session.view.info;
      quit();
      if (phase.phase === 'refused') refuse(phase.error);
      else state.value = { state: 'gone', farewell: phase, title };
    };
    stop = session.on('phase', onPhase);
    onPhase(session.phase);
  };
  const enter = async () => {
    quit();
    attempt += 1;
    const mine = attempt;
    if (auth.token() === undefined) return ask(mine);
    const before = state.peek();
    state.value = { state: 'joining', preview: 'preview' in before ? before.preview : undefined };
    try {
      const connection = await connect();
      const session = await join(connection, roomId);
      if (mine === attempt) settle(session);
      else if (over) void giveUp(session);
      else session.dispose();
    } catch (error) {
      if (mine === attempt) refuse(error);
    }
  };
  // Whoever signs in while the room waits for a name goes in at once.
  const stopWaiting = effect(() => {
    const signedIn = auth.identity.value !== undefined;
    if (signedIn && state.peek().state === 'asking') void enter();
  });
  return {
    state,
    enter: () => void enter(),
    leave: async () => {
      const present = state.peek();
      attempt += 1;
      over = true;
      stopWaiting();
      if (present.state === 'inside') await giveUp(present.room.session);
      quit();
    },
    suspend: () => {
      attempt += 1;
      quit();
    },
  };
};

/** A seat that cannot be given up now lapses by itself (RE-2). */
const giveUp = (session: RoomSession): Promise<void> => session.leave().catch(() => session.dispose());
