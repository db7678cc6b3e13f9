import { setTimeout as pause } from 'node:timers/promises';
import { type BareSide, startBare } from './bare-side.ts';
import { LightPeer } from './light-peer.ts';
import type { Seat } from './side.ts';
import { Conversation, Speaker } from './speakers.ts';

/** How long people talk before, in milliseconds. */
const talkMs = 500;

type Listener = { readonly seat: Seat; readonly peer: LightPeer; lastAt: number };

/** A bare mediasoup whose listeners all listen anew at one moment: what ICE and DTLS take by themselves. */
export class RejoinRoom {
  readonly #side: BareSide;
  readonly #conversation: Conversation;
  #listeners: readonly Listener[];

  static async open(
    { listeners, speakers }: { readonly listeners: number; readonly speakers: number },
    more: Readonly<Record<string, string>>,
  ): Promise<RejoinRoom> {
    const side = await startBare('bare mediasoup', more);
    try {
      const voices: Speaker[] = [];
      while (voices.length < speakers) voices.push(await Speaker.open(await side.seat('speaker'), 80));
      const all: Listener[] = [];
      while (all.length < listeners) all.push(await listen(await side.seat('listener')));
      return new RejoinRoom(side, new Conversation(voices), all);
    } catch (error) {
      await side.close();
      throw error;
    }
  }

  private constructor(side: BareSide, conversation: Conversation, listeners: readonly Listener[]) {
    this.#side = side;
    this.#conversation = conversation;
    this.#listeners = listeners;
  }

  get pid(): number {
    return this.#side.pid;
  }

  /** For each listener the time from the last packet by the old transport to the first by the new one, in milliseconds. */
  async rejoin(): Promise<number[]> {
    this.#conversation.start();
    await pause(talkMs);
    const again = await Promise.all(this.#listeners.map(relisten));
    this.#conversation.stop();
    this.#listeners = again.map(({ listener }) => listener);
    return again.map(({ gapMs }) => gapMs);
  }

  async close(): Promise<void> {
    this.#conversation.close();
    for (const { peer } of this.#listeners) peer.close();
    await this.#side.close();
  }
}

const listen = async (seat: Seat): Promise<Listener> => {
  const { transport } = await seat.listen();
  const listener: Listener = { seat, lastAt: Number.NaN, peer: new LightPeer(transport, { received: () => heard() }) };
  const heard = (): void => {
    listener.lastAt = performance.now();
  };
  await listener.peer.connect((dtls) => seat.connectTransport(listener.peer.transportId, dtls));
  return listener;
};

/** Lets the old transport go at once, and hears by a new one. Answers how long there was nothing, in milliseconds. */
const relisten = async ({ seat, peer, lastAt }: Listener): Promise<{ listener: Listener; gapMs: number }> => {
  peer.close();
  const left = seat.leave();
  const listener = await listen(seat);
  const firstAt = await listener.peer.firstPacketAt;
  await left;
  return { listener, gapMs: firstAt - lastAt };
};
