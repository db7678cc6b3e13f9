import { setTimeout as delay } from 'node:timers/promises';
import type { MicrophoneState, RoomMediaState } from './media-plane.ts';
import type { RoomVoice } from './room-voice.ts';

/** A microphone that another one took the place of, at another node. */
export type Leaving = {
  readonly microphone: MicrophoneState;
  /** Whether listeners here still have it. Other nodes may have it longer: they ask for it until the new one is there. */
  readonly isHeard: boolean;
};

/** What the state says, and what goes on for a moment after it. */
export type FollowedState = RoomMediaState & {
  /** By producer id. */
  readonly leaving: ReadonlyMap<string, Leaving>;
};

/** How long the old voice waits for the first packet of the new one. Somebody who says nothing may send none at all (DTX). */
const firstPacketMs = 1000;

/** Both voices for a moment: a client that was given the new one takes about that long to negotiate it. */
const overlapMs = 200;

type Entry = { readonly microphone: MicrophoneState; isHeard: boolean; readonly timer: NodeJS.Timeout };

export type HandoverOptions = {
  /** The name of this node. */
  readonly self: string | undefined;
  /** The longest that a microphone goes on after another one took its place. */
  readonly movedMediaMs: number;
  /** Whether this node has the voice of this producer. */
  readonly has: (producerId: string) => boolean;
  /** Something leaves no more: media must follow anew what `followed` says. */
  readonly changed: () => void;
};

/**
 * Somebody who speaks and goes to another node opens a microphone there, and so every node has to hear them from elsewhere. The
 * voice that it has stays until the new one is here, every listener was given it, and a packet of it came through (or none within
 * a second); and no longer than a client needs to take it up, as nobody wants to hear it twice (RE-2). A new microphone
 * that is muted, or none, ends the old one at once (MO-1).
 */
export class VoiceHandover {
  readonly #options: HandoverOptions;
  readonly #leaving = new Map<string, Entry>();
  #state: RoomMediaState | undefined;
  #closed = false;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** What media must follow as of this state. */
  follow(state: RoomMediaState): FollowedState {
    for (const microphone of this.#state?.microphones.values() ?? []) {
      if (isMoved(microphone, state) && this.#options.has(microphone.producerId)) this.#begin(microphone);
    }
    this.#state = state;
    for (const [producerId, { microphone }] of this.#leaving) if (!isMoved(microphone, state)) this.#end(producerId);
    return { ...state, leaving: new Map(this.#leaving) };
  }

  /** The same again; undefined before there was a state. */
  followed(): FollowedState | undefined {
    return this.#state && this.follow(this.#state);
  }

  /** Every listener was given this voice. */
  given(voice: RoomVoice): void {
    if (this.#of(voice.userId).length > 0) void this.#replace(voice);
  }

  close(): void {
    this.#closed = true;
    for (const producerId of this.#leaving.keys()) this.#end(producerId);
  }

  #of(userId: string): Entry[] {
    return [...this.#leaving.values()].filter(({ microphone }) => microphone.userId === userId);
  }

  #begin(microphone: MicrophoneState): void {
    const { producerId } = microphone;
    if (this.#closed || this.#leaving.has(producerId)) return;
    const over = () => {
      this.#leaving.delete(producerId);
      this.#options.changed();
    };
    const timer = setTimeout(over, this.#options.movedMediaMs).unref();
    this.#leaving.set(producerId, { microphone, isHeard: true, timer });
  }

  #end(producerId: string): void {
    clearTimeout(this.#leaving.get(producerId)?.timer);
    this.#leaving.delete(producerId);
  }

  /** Never rejects. */
  async #replace(voice: RoomVoice): Promise<void> {
    const { userId, producerId } = voice;
    await voice.firstPacket(firstPacketMs);
    await delay(overlapMs, undefined, { ref: false });
    // It may have left itself by now, or be gone: then the next one is waited for.
    if (this.#state?.microphones.get(userId)?.producerId !== producerId || !this.#options.has(producerId)) return;
    const replaced = this.#of(userId).filter(({ isHeard }) => isHeard);
    for (const entry of replaced) {
      entry.isHeard = false;
      // Of one that ends here, other nodes may not have the new one yet.
      if (entry.microphone.node !== this.#options.self) this.#end(entry.microphone.producerId);
    }
    if (replaced.length > 0 && !this.#closed) this.#options.changed();
  }
}

/** Whether this state has another microphone for it that is heard, at another node. */
const isMoved = ({ userId, sessionId, producerId, node }: MicrophoneState, state: RoomMediaState): boolean => {
  const now = state.microphones.get(userId);
  return (
    now !== undefined && !now.muted && now.sessionId === sessionId && now.producerId !== producerId && now.node !== node
  );
};
