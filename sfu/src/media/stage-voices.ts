import type { MicrophoneState } from './media-plane.ts';
import { Relay, type RelayOptions } from './relay.ts';
import type { RoomBranch } from './room-branch.ts';
import type { RoomVoice } from './room-voice.ts';
import type { SpeakerMonitor } from './speaker-monitor.ts';
import { StageGate } from './stage-gate.ts';
import { StageLevels } from './stage-levels.ts';

/**
 * The voices on the router of a stage: the microphones that the room's state has, here or piped here. Whoever listens there hears
 * all of them, and everything else follows them: levels, the gate, and the relays to the audience.
 */
export class StageVoices {
  readonly #branch: RoomBranch<RoomVoice>;
  readonly #monitor: SpeakerMonitor;
  readonly #gate: StageGate;
  readonly #levels: StageLevels;
  readonly #relays = new Set<Relay>();
  /** Whose voice it is, by the id that the router knows. */
  readonly #users = new Map<string, string>();
  #isSettling = false;

  constructor(branch: RoomBranch<RoomVoice>, monitor: SpeakerMonitor) {
    const { context } = branch;
    const { limits } = context;
    this.#branch = branch;
    this.#monitor = monitor;
    const rule = { voices: limits.gateVoices, onDbov: limits.gateOnDbov, holdMs: limits.gateHoldMs };
    this.#gate = new StageGate(rule, (producerId) => {
      for (const relay of this.#relays) relay.turn(producerId);
    });
    this.#levels = new StageLevels({
      context,
      limits,
      measured: (levels) => this.#measured(levels),
      heard: (producerId, dBov, now) => this.#gate.heard(producerId, dBov, now),
    });
  }

  get relays(): ReadonlySet<Relay> {
    return this.#relays;
  }

  has(producerId: string): boolean {
    return this.#branch.voices.all.has(producerId);
  }

  /** Makes one voice what the state says of it, but for the listeners: see `give`. Resolves when the worker did it. */
  follow(voice: RoomVoice, state: MicrophoneState | undefined): Promise<void> {
    if (state === undefined) this.take([voice]);
    else if (this.#branch.voices.add(voice)) this.#users.set(voice.routedId, voice.userId);
    if (state?.muted) this.#monitor.stopped(voice.userId);
    const followed = voice.follow(state);
    this.settle();
    return followed;
  }

  /** Gives every listener at this router the voices it lacks, and tells it of them in one event. */
  give(): Promise<void> {
    return this.#branch.voices.give();
  }

  /** Takes these voices from every listener that has them. Those that close are closed first. */
  take(voices: readonly RoomVoice[]): void {
    const heard = this.#branch.voices.take(voices);
    if (heard.length === 0) return;
    for (const { routedId } of heard) this.#users.delete(routedId);
    const stillHeard = new Set(this.#users.values());
    for (const { userId } of heard) if (!stillHeard.has(userId)) this.#monitor.stopped(userId);
    this.settle();
  }

  /** Brings the voices to an audience router, from now until it is closed. */
  relayTo(options: Pick<RelayOptions, 'to' | 'settings' | 'voices'>): Relay {
    const relay: Relay = new Relay({
      ...options,
      from: this.#branch.context,
      isOpen: (producerId) => this.#gate.isOpen(producerId),
      closed: () => {
        this.#relays.delete(relay);
        this.settle();
      },
    });
    this.#relays.add(relay);
    this.settle();
    return relay;
  }

  /** Has everything follow the voices as they are, once for all that changes in this moment; what failed before is tried again. */
  settle(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      if (!this.#branch.closed) this.#settle();
    });
  }

  #settle(): void {
    const voices = [...this.#branch.voices.all.values()];
    const open = voices.filter(({ muted }) => !muted).map(({ producerId }) => producerId);
    this.#gate.follow(new Set(open));
    const { gateVoices } = this.#branch.context.limits;
    // From when the next one that is unmuted needs a place of somebody: by then the gate has to know who is silent.
    const isGated = this.#relays.size > 0 && voices.length > gateVoices && open.length >= gateVoices;
    // Never rejects, and nothing waits for it.
    void this.#levels.follow(voices, isGated);
    for (const relay of this.#relays) relay.follow(voices);
  }

  /** Levels in dBov, by the id on the router; one that is in no state counts for nothing. */
  #measured(levels: ReadonlyMap<string, number>): void {
    const byUser = new Map<string, number>();
    for (const [routedId, level] of levels) {
      const userId = this.#users.get(routedId);
      if (userId !== undefined) byUser.set(userId, Math.max(level, byUser.get(userId) ?? level));
    }
    this.#monitor.measured(byUser);
  }

  /** The router is closed: ends the relays and what is measured. */
  close(): void {
    this.#levels.close();
    for (const relay of [...this.#relays]) relay.close();
  }
}
