import type { CommandOutput, EventName, EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import type { Role, RoomView } from '@rostrum/shared/protocol/room.ts';
import { onStage } from '@rostrum/shared/room/permissions.ts';
import { withAudienceCount, withHandPosition } from '@rostrum/shared/room/view.ts';
import { pause, until } from '../media/harness.ts';
import { Refused, RoamingSocket } from './cluster-socket.ts';
import { FoldedView, viewEventOf } from './cluster-view.ts';
import { deafEar, Voices } from './cluster-voices.ts';
import type { Cluster, ServerNode } from './nodes.ts';
import { guest, type TestPerson } from './server.ts';
import { WrtcPeer } from './wrtc-peer.ts';

/** How long old media plays on at most while the new is set up, in milliseconds; the server ends it after 10 s (`movedMediaMs`). */
const oldMediaMs = 5000;
/** Attempts to take the seat, to listen or to publish again, and the wait between two of them in milliseconds. */
const attempts = 40;
const attemptMs = 250;
/** How often a seat is asked for while nodes have no room and know of another that has. */
const nodesTried = 10;
/** Refusals that pass by themselves. */
const passing = ['unanswered', 'unavailable', 'rate_limited', 'conflict', 'node_full', 'already', 'internal'];
/** What went wrong and is kept for a look. */
const failuresKept = 50;

export type PersonOptions = {
  /** The number of the node that they come to first. */
  readonly at?: number;
  /** Nobody asks what they hear: of a crowd only what arrives is counted. */
  readonly deaf?: boolean;
  /** In the room without any media. */
  readonly still?: boolean;
  /** Signed in already. */
  readonly person?: TestPerson;
};

const present: ClusterPerson[] = [];

/** Sends everybody home; for `afterEach`. */
export const everybodyLeaves = (): void => {
  for (const person of present.splice(0)) person.close();
};

/**
 * Somebody in a room of a cluster, with real media, who comes back by themselves like the web client: takes the seat again with
 * the same session, goes on with what still flows and sets the rest up anew, the old media playing until the new is heard.
 */
export class ClusterPerson {
  readonly person: TestPerson;
  readonly socket: RoamingSocket;
  readonly voices = new Voices();
  readonly seen: FoldedView;
  /** What did not work, at the first attempt or at all. */
  readonly failures: string[] = [];
  /** When they were back last, seat and media, by the monotonic clock. */
  backAt = Number.NEGATIVE_INFINITY;
  /** Why they are not in the room any more. */
  outBecause: 'kicked' | 'ended' | 'joined-elsewhere' | 'left' | string | undefined;
  /** Who the server says speaks. */
  speaking: readonly string[] = [];
  /** Hears every event of the room, in the order in which they came. */
  onEvent: ((name: EventName, payload: unknown) => void) | undefined;
  readonly #options: PersonOptions;
  #roomId: string | undefined;
  #peer: WrtcPeer | undefined;
  #producerId: string | undefined;
  #hertz: number | undefined;
  #volume = 0.5;
  /** Media is set up one step after the other. */
  #steps: Promise<unknown> = Promise.resolve();
  #round = 0;

  private constructor(person: TestPerson, nodes: readonly ServerNode[], options: PersonOptions) {
    this.person = person;
    this.#options = options;
    this.socket = new RoamingSocket(person, nodes, {
      at: options.at ?? 0,
      listeners: {
        event: (name, payload) => this.#heard(name, payload),
        online: () => void this.#rejoin(),
      },
    });
    this.seen = new FoldedView(async () => {
      const synced = await this.socket.ask('room:sync', { roomId: this.roomId });
      return synced.ok ? synced.data.state : undefined;
    });
  }

  /** Signs in and connects to one of the nodes. */
  static async arrive(
    cluster: Pick<Cluster, 'nodes' | 'node'>,
    name: string,
    options: PersonOptions = {},
  ): Promise<ClusterPerson> {
    const person = options.person ?? (await guest(cluster.node(options.at ?? 0).server, name));
    const arrived = new ClusterPerson(person, cluster.nodes, options);
    present.push(arrived);
    await arrived.socket.open();
    return arrived;
  }

  get userId(): string {
    return this.person.userId;
  }

  get name(): string {
    return this.person.signedIn.user.displayName;
  }

  get roomId(): string {
    if (this.#roomId === undefined) throw new Error(`${this.name} is in no room`);
    return this.#roomId;
  }

  get view(): RoomView {
    const { view } = this.seen;
    if (view === undefined)
      throw new Error(`${this.name} sees no room: ${this.outBecause ?? this.failures.join(', ')}`);
    return view;
  }

  get role(): Role {
    return this.view.self.role;
  }

  /** Takes a seat, and listens unless they are still. */
  async enter(roomId: string): Promise<void> {
    this.#roomId = roomId;
    // In one turn: what the server tells of what it has just opened waits for it.
    await this.#inTurn(async () => {
      const { state, speaking, listening } = await this.#sitDown(roomId);
      this.outBecause = undefined;
      this.seen.replace(state);
      this.speaking = speaking;
      if (!this.#options.still) await this.#listen(listening);
    });
    this.backAt = performance.now();
  }

  /** Takes a seat; where another node has room, at that one, once the connection is there (MD-3). */
  async #sitDown(roomId: string): Promise<CommandOutput<'room:join'>> {
    for (let left = nodesTried; ; left -= 1) {
      const joined = await this.socket.ask('room:join', { roomId, listen: !this.#options.still });
      if (joined.ok) return joined.data;
      const { code, retryAfterMs = 0 } = joined.error;
      const isMoving = code === 'unanswered' || (code === 'node_full' && retryAfterMs > 0);
      if (left === 0 || !isMoving) throw new Refused('room:join', code);
      await pause(Math.max(retryAfterMs, attemptMs));
    }
  }

  /** Opens the microphone, which speaks a tone of so many hertz, and does so again wherever they come back. */
  async speak(hertz: number): Promise<void> {
    this.#hertz = hertz;
    await this.#inTurn(() => this.#publish());
  }

  setVolume(volume: number): void {
    this.#volume = volume;
    this.#peer?.setVolume(volume);
  }

  /** The tones that they hear now, by who speaks them. */
  hears(): Map<string, number> {
    return this.#peer?.hears() ?? new Map();
  }

  /** Whether they hear this voice, with this tone where it is given. */
  hearsVoice(userId: string, hertz?: number): boolean {
    const heard = this.hears().get(userId);
    return heard !== undefined && (hertz === undefined || Math.abs(heard / hertz - 1) < 0.07);
  }

  /** RTP packets that arrived over the present connection. */
  async packets(): Promise<number> {
    return (await this.#peer?.received())?.packets ?? 0;
  }

  async leave(): Promise<void> {
    await this.socket.do('room:leave', { roomId: this.roomId });
    this.wentOut();
  }

  /** They have left, by a command that was sent for them. */
  wentOut(): void {
    this.#out('left');
  }

  /** Gone like a page that is closed. */
  close(): void {
    this.#round += 1;
    this.socket.close();
    this.seen.close();
    this.#peer?.close();
    this.#peer = undefined;
  }

  #heard(name: EventName, payload: unknown): void {
    if ((payload as { roomId?: string }).roomId !== this.#roomId) return;
    this.onEvent?.(name, payload);
    const event = viewEventOf(name, payload);
    if (event) this.seen.take(event);
    else this.#told(name, payload);
  }

  #told(name: EventName, payload: unknown): void {
    const is = <Name extends EventName>(wanted: Name, _value: unknown): _value is EventPayload<Name> => name === wanted;
    if (is('room:state', payload)) this.seen.push(payload.state);
    else if (is('room:sequence', payload)) this.seen.reached(payload.view, payload.sequence);
    else if (is('room:audience', payload)) this.seen.amend((view) => withAudienceCount(view, payload.count));
    else if (is('room:hand-position', payload)) this.seen.amend((view) => withHandPosition(view, payload.position));
    else if (is('room:speaking-changed', payload)) this.speaking = payload.userIds;
    else if (is('room:kicked', payload)) this.#out('kicked');
    else if (is('room:joined-elsewhere', payload)) this.#out('joined-elsewhere');
    else if (is('room:ended', payload)) this.#out('ended');
    else this.#mediaTold(name, payload);
  }

  #mediaTold(name: EventName, payload: unknown): void {
    const is = <Name extends EventName>(wanted: Name, _value: unknown): _value is EventPayload<Name> => name === wanted;
    if (is('media:consumers-added', payload)) {
      this.#step(async () => {
        if (this.#peer?.receivingId === payload.transportId) await this.#peer.addVoices(payload.consumers);
      });
    } else if (is('media:consumers-removed', payload)) {
      this.#step(async () => this.#peer?.dropVoices(payload.consumerIds));
    } else if (is('media:unpublished', payload)) {
      if (payload.producerId !== null && payload.producerId !== this.#producerId) return;
      this.#producerId = undefined;
      this.#peer?.stopSpeaking();
    } else if (is('media:relisten', payload)) void this.#hearAnew(payload.withinMs);
    else if (is('media:lost', payload)) {
      if (payload.sending) void this.#sendAnew();
      if (payload.receiving) void this.#hearAnew(payload.withinMs);
    }
  }

  #out(because: string): void {
    this.#round += 1;
    this.outBecause = because;
    this.seen.close();
    this.#peer?.close();
    this.#peer = undefined;
    this.#producerId = undefined;
  }

  /** The session is connected again: takes the seat again, and sees to the media. */
  async #rejoin(): Promise<void> {
    if (this.#roomId === undefined || this.outBecause !== undefined) return;
    const roomId = this.#roomId;
    const round = this.#nextRound();
    const joined = await this.#persist('room:join', round, () => this.socket.do('room:join', { roomId }));
    if (joined === undefined || round !== this.#round) return;
    this.seen.replace(joined.state);
    this.speaking = joined.speaking;
    if (!this.#options.still) await this.#resume(round);
    if (round === this.#round) this.backAt = performance.now();
  }

  /** What still flows goes on, the rest is opened anew. */
  async #resume(round: number): Promise<void> {
    const peer = this.#peer;
    const { roomId } = this;
    const transportIds = [peer?.receivingId, peer?.sendingId].filter((id) => id !== undefined);
    const synced = await this.#persist('media:sync', round, () =>
      this.socket.do('media:sync', { roomId, transportIds, consumerIds: peer?.consumerIds ?? [] }),
    );
    if (synced === undefined) return;
    await this.#inTurn(async () => {
      if (round !== this.#round) return;
      if (peer?.receivingId !== undefined && synced.transportIds.includes(peer.receivingId)) {
        peer.dropVoices(synced.removed);
        await peer.addVoices(synced.added);
      } else await this.#persist('listen', round, () => this.#listen());
      const sends = this.#peer?.sendingId !== undefined && synced.transportIds.includes(this.#peer.sendingId);
      if (!sends) await this.#speakAgain(round);
    });
  }

  /** Another router serves them, or the one that did is gone: listens anew by the peer that they have, whose old transport plays until then. */
  async #hearAnew(withinMs: number): Promise<void> {
    const round = this.#round;
    await pause(Math.random() * withinMs);
    await this.#inTurn(() =>
      this.#persist('listen', round, async () => {
        const { roomId } = this;
        await this.#peer?.listen(await this.socket.do('media:listen', { roomId }));
      }),
    );
  }

  /** What they sent is gone, while the seat and what they hear may stand. */
  async #sendAnew(): Promise<void> {
    const round = this.#round;
    this.#producerId = undefined;
    await this.#inTurn(() => this.#speakAgain(round));
  }

  async #speakAgain(round: number): Promise<void> {
    if (this.#hertz === undefined || !onStage(this.view.self.role)) return;
    await this.#persist('publish', round, () => this.#publish());
  }

  async #listen(opened: ListeningOffer | null = null): Promise<void> {
    const { roomId } = this;
    const answer = opened ?? (await this.socket.do('media:listen', { roomId }));
    const peer = new WrtcPeer(
      {
        connect: async (transportId, dtlsParameters) => {
          const parameters = dtlsParameters as ClientDtlsParameters;
          await this.socket.do('media:connect', { roomId, transportId, dtlsParameters: parameters });
        },
        produce: async (transportId, rtpParameters) =>
          (await this.socket.do('media:produce', { roomId, transportId, rtpParameters })).producerId,
      },
      { ear: (userId, track) => (this.#options.deaf ? deafEar : this.voices.ear(userId, track)) },
    );
    try {
      await peer.listen(answer);
    } catch (error) {
      peer.close();
      throw error;
    }
    const before = this.#peer;
    this.#peer = peer;
    if (before !== undefined) void this.#retire(before, peer);
  }

  /** The old media plays until every voice of it is heard over the new. */
  async #retire(before: WrtcPeer, after: WrtcPeer): Promise<void> {
    const since = performance.now();
    const isHeard = (): boolean => {
      if (after.connections.receiving !== 'connected') return false;
      if (this.#options.deaf) return after.consumerIds.length >= before.consumerIds.length;
      return [...before.hears().keys()].every((userId) => after.hears().has(userId));
    };
    while (performance.now() - since < oldMediaMs && this.#peer === after && !isHeard()) await pause(50);
    before.close();
  }

  async #publish(): Promise<void> {
    const { roomId } = this;
    const hertz = this.#hertz;
    if (this.#peer === undefined || hertz === undefined) throw new Error('nothing to speak with');
    const outcome = await this.socket.ask('media:publish', { roomId });
    if (!outcome.ok) throw new Refused('media:publish', outcome.error.code);
    try {
      this.#producerId = await this.#peer.speak(outcome.data, { hertz });
    } catch (error) {
      // The room still counts a microphone that is gone.
      if (error instanceof Refused && error.code === 'already') await this.socket.ask('media:unpublish', { roomId });
      throw error;
    }
    this.#peer.setVolume(this.#volume);
  }

  #nextRound(): number {
    this.#round += 1;
    return this.#round;
  }

  /** Tries again what passes by itself; undefined where it is not wanted any more, or is refused for good. */
  async #persist<Value>(what: string, round: number, attempt: () => Promise<Value>): Promise<Value | undefined> {
    for (let left = attempts; left > 0 && round === this.#round; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        const code = error instanceof Refused ? error.code : undefined;
        this.#failed(`${what}: ${String(error)}`);
        if (code !== undefined && !passing.includes(code)) {
          if (what === 'room:join') this.#out(code);
          return undefined;
        }
      }
      await pause(attemptMs);
    }
    return undefined;
  }

  #failed(what: string): void {
    this.failures.push(what);
    if (this.failures.length > failuresKept) this.failures.shift();
  }

  #step(act: () => Promise<unknown>): void {
    this.#inTurn(act).catch((error: unknown) => this.#failed(String(error)));
  }

  #inTurn<Value>(act: () => Promise<Value>): Promise<Value> {
    const turn = this.#steps.then(act);
    this.#steps = turn.catch(() => undefined);
    return turn;
  }
}

/** A room made by this person, in which they sit. */
export const openRoom = async (host: ClusterPerson, input: object = {}): Promise<string> => {
  const roomId = await host.person.createRoom(input);
  await host.enter(roomId);
  return roomId;
};

/** Brings a listener onto the stage, as people do it: a hand, and a host who accepts it. */
export const bringOnStage = async (host: ClusterPerson, listener: ClusterPerson): Promise<void> => {
  const { roomId } = host;
  await listener.socket.do('room:hand-raise', { roomId });
  await host.socket.do('room:hand-accept', { roomId, userId: listener.userId });
  await until(`${listener.name} is on the stage`, () => onStage(listener.role));
};
