import type { CommandOutput } from '@rostrum/shared/protocol/index.ts';
import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import { Refused } from '../lib/refused.ts';
import type { LoadContext } from './context.ts';
import type { Ear, Ears } from './ears.ts';
import type { MediaCounts } from './listener-stats.ts';
import { spread, type Tries, tryAgain, within } from './patience.ts';
import { Person } from './person.ts';

/** Longest that somebody waits for the first packet of a room in which people talk, in milliseconds. */
const firstPacketMs = 20_000;
/** What plays on is let go of so long after the new transport was connected, heard or not, in milliseconds. */
const overlapMs = 2000;
/** Of listening anew: back on air within 2 s (MD-8) leaves time for a few. */
const tries: Tries = { most: 6, firstMs: 250, longestMs: 4000 };

/** What `media:sync` takes at most. */
const mostSynced = 128;

/** The room to be in. */
export type JoinOptions = { readonly roomId: string; readonly ears: Ears };

type Joined = CommandOutput<'room:join'>;

/** What somebody besides sends. */
export type Sending = {
  /** The sending transport that is open. */
  readonly transportId: () => string | undefined;
  /** The server does not have it any more: it is to be opened again, some time in so many milliseconds. */
  readonly lost: (withinMs: number) => void;
};

/**
 * Somebody in a room who hears it as the web client does: follows the voices that come and go, listens anew when the server
 * says so or a worker died, and comes back when the connection was lost.
 */
export class RoomListener {
  readonly person: Person;
  readonly roomId: string;
  readonly ears: Ears;
  /** What the server answered to the first `room:join`. */
  readonly joined: Joined;
  readonly #context: LoadContext;
  /** When the first packet came, whichever ear it came to. */
  readonly #first = Promise.withResolvers<number>();
  #ear: Ear | undefined;
  /** The one that is being connected, in the place of `#ear`. */
  #coming: Ear | undefined;
  #listening: Promise<void> = Promise.resolve();
  /** Told to move, and not on the way yet: being told once more changes nothing. */
  #moving = false;
  #sending: Sending | undefined;
  #left = false;

  /**
   * Signs somebody in, connects them and lets them join and listen; the first packet is not waited for.
   * What it took and whatever failed is in the tally. @throws Refused, Error
   */
  static async join(context: LoadContext, options: JoinOptions): Promise<RoomListener> {
    context.tally.count('asked');
    try {
      return await RoomListener.enter(context, await Person.signIn(context), options);
    } catch (error) {
      context.tally.count('refused');
      throw error;
    }
  }

  /** The same for somebody who is signed in and not connected, and who is not counted as asking or refused. @throws Refused, Error */
  static async enter(context: LoadContext, person: Person, options: JoinOptions): Promise<RoomListener> {
    const { tally } = context;
    let listener: RoomListener | undefined;
    try {
      await person.connect({ returned: () => listener?.returned() });
      const begun = performance.now();
      const joined = await person.do('room:join', { roomId: options.roomId, listen: true });
      tally.times.join.record(performance.now() - begun);
      tally.count('joined');
      listener = new RoomListener(context, person, { ...options, joined });
      listener.#begin(begun);
      return listener;
    } catch (error) {
      person.close();
      throw error;
    }
  }

  private constructor(
    context: LoadContext,
    person: Person,
    { roomId, ears, joined }: JoinOptions & { readonly joined: Joined },
  ) {
    this.#context = context;
    this.person = person;
    this.roomId = roomId;
    this.ears = ears;
    this.joined = joined;
    person.on('media:consumers-added', ({ transportId, consumers }) => {
      for (const ear of this.#open) if (ear.transportId === transportId) ear.add(consumers);
    });
    person.on('media:consumers-removed', ({ consumerIds }) => {
      for (const ear of this.#open) ear.remove(consumerIds);
    });
    person.on('media:relisten', ({ withinMs }) => this.#relisten(withinMs));
    person.on('media:lost', ({ receiving, sending, withinMs }) => {
      if (receiving) this.#lost(withinMs);
      if (sending) this.#sending?.lost(withinMs);
    });
    person.on('room:ended', () => context.tally.count('roomsEnded'));
  }

  get counts(): MediaCounts {
    return this.ears.counts;
  }

  /** This person has a microphone too. */
  sends(sending: Sending): void {
    this.#sending = sending;
  }

  /** Counts what was received, leaves the room and closes everything. Never rejects. */
  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    await this.ears.settle().catch(() => undefined);
    this.#context.tally.left(this.counts);
    await this.person.do('room:leave', { roomId: this.roomId }).catch(() => undefined);
    this.person.close();
    for (const ear of this.#open) ear.close();
    this.#first.reject(new Error('left'));
  }

  get #open(): readonly Ear[] {
    return [this.#ear, this.#coming].filter((ear) => ear !== undefined);
  }

  /** Resolves when nothing is on the way: somebody who listens, or could not. Never rejects. */
  settled(): Promise<void> {
    return this.#listening;
  }

  #begin(joinedAt: number): void {
    this.#noteFirstPacket(joinedAt);
    let offer = this.joined.listening ?? undefined;
    this.#behind('listening', () =>
      this.#again(() => {
        const first = offer;
        offer = undefined;
        return this.#listen(first);
      }),
    );
  }

  /**
   * Changes what is heard by, one change at a time, which nobody waits for: a failure is in the tally. A refusal is there already,
   * under the command that was refused.
   */
  #behind(what: string, change: () => Promise<void>): void {
    this.#listening = this.#listening.then(change).catch((error: unknown) => {
      if (!this.person.closing.aborted && !(error instanceof Refused)) this.#context.tally.failed(what, error);
    });
  }

  /** Hears by a new transport; what was heard by before plays on until this one is connected. */
  async #listen(first?: ListeningOffer): Promise<void> {
    const { person, roomId } = this;
    const offer = first ?? (await person.do('media:listen', { roomId }));
    const ear = this.ears.open(offer);
    ear.firstPacketAt.then(this.#first.resolve, () => undefined);
    this.#coming = ear;
    try {
      await ear.connect(async (dtlsParameters) => {
        await person.do('media:connect', { roomId, transportId: ear.transportId, dtlsParameters });
      });
      if (person.closing.aborted) throw new Error('left');
    } catch (error) {
      ear.close();
      throw error;
    } finally {
      this.#coming = undefined;
    }
    const before = this.#ear;
    this.#ear = ear;
    if (before !== undefined) this.#letGo(before, ear);
  }

  /** The transport before goes when the new one is heard. */
  #letGo(before: Ear, ear: Ear): void {
    within(overlapMs, ear.firstPacketAt, 'silent')
      .catch(() => undefined)
      .finally(() => before.close());
  }

  #noteFirstPacket(joinedAt: number): void {
    const { tally } = this.#context;
    within(firstPacketMs, this.#first.promise, 'silent').then(
      (at) => {
        tally.count('heard');
        tally.times.firstAudio.record(at - joinedAt);
      },
      (error: unknown) => {
        if (!this.person.closing.aborted) tally.failed('first packet', error);
      },
    );
  }

  #relisten(withinMs: number): void {
    const { tally } = this.#context;
    const told = performance.now();
    tally.count('relistenAsked');
    if (this.#moving) return;
    this.#moving = true;
    this.#behind('relisten', async () => {
      await spread(withinMs, this.person.closing);
      this.#moving = false;
      await this.#again();
      tally.count('relistened');
      tally.times.relisten.record(performance.now() - told);
    });
  }

  /** A worker died, and what was heard by it is gone. */
  #lost(withinMs: number): void {
    const { tally } = this.#context;
    const told = performance.now();
    tally.count('hearingLost');
    // One that was being connected went with the worker, and nobody answers it any more.
    this.#coming?.close();
    this.#behind('after media:lost', async () => {
      await spread(withinMs, this.person.closing);
      await this.#again();
      const at = await within(firstPacketMs, this.#ear?.firstPacketAt ?? Promise.reject(new Error('left')), 'silent');
      tally.count('hearingBack');
      tally.times.hearingBack.record(at - told);
    });
  }

  #again(listen = () => this.#listen()): Promise<void> {
    return tryAgain(listen, tries, this.person.closing);
  }

  /** The connection is back: the seat is taken again, and what is left is compared with what the server has. */
  returned(): void {
    this.#behind('coming back', async () => {
      const { person, roomId } = this;
      await person.do('room:join', { roomId });
      const sendingId = this.#sending?.transportId();
      const { transportId, consumerIds = [] } = this.#ear ?? {};
      const transportIds = [transportId, sendingId].filter((one) => one !== undefined);
      const known = await person.do('media:sync', {
        roomId,
        transportIds,
        consumerIds: consumerIds.slice(0, mostSynced),
      });
      if (sendingId !== undefined && !known.transportIds.includes(sendingId)) this.#sending?.lost(0);
      if (transportId === undefined || !known.transportIds.includes(transportId)) return this.#again();
      this.#ear?.remove(known.removed);
      this.#ear?.add(known.added);
    });
  }
}
