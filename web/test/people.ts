import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { HeardAudio, ToneSource } from '../../sfu/test/support/tone.ts';
import {
  type Api,
  type Connection,
  createApi,
  createConnection,
  joinRoom,
  type RoomSession,
} from '../src/client/index.ts';
import { wrtc } from './wrtc.ts';

/** A way to the server that can be cut, or swallow everything without a word. */
export type Cable = {
  readonly url: string;
  /** What becomes of bytes and of new connections from now on. */
  become(state: 'whole' | 'refusing' | 'black hole'): void;
  /** Breaks the connections that stand. */
  cut(): void;
  close(): void;
};

export const createCable = async (serverUrl: string): Promise<Cable> => {
  const { hostname, port } = new URL(serverUrl);
  const ends = new Set<Socket>();
  let state: 'whole' | 'refusing' | 'black hole' = 'whole';
  const proxy = createServer((near) => {
    if (state === 'refusing') {
      near.destroy();
      return;
    }
    const far = dial(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.on('data', (bytes) => {
        if (state !== 'black hole') to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        ends.delete(from);
        to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const cut = () => {
    for (const end of [...ends]) end.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    become: (next) => {
      state = next;
    },
    cut,
    close: () => {
      proxy.close();
      cut();
    },
  };
};

/** Somebody who uses the SDK in Node: speaks a tone, and tells which tones they hear. */
export class Person {
  readonly userId: string;
  readonly token: string;
  readonly api: Api;
  readonly cable: Cable;
  readonly connection: Connection;
  readonly #hertz: number;
  readonly #heard = new Map<string, HeardAudio>();
  /** What was played before it: the meter of a new track needs a moment to say anything. */
  readonly #heardBefore = new Map<string, HeardAudio>();
  readonly #tones: ToneSource[] = [];

  private constructor(signedIn: { userId: string; token: string }, api: Api, cable: Cable, hertz: number) {
    this.userId = signedIn.userId;
    this.token = signedIn.token;
    this.api = api;
    this.cable = cable;
    this.connection = createConnection({ url: cable.url, token: signedIn.token });
    this.#hertz = hertz;
  }

  static async signIn(serverUrl: string, name: string, hertz: number): Promise<Person> {
    const { token, user } = await createApi({ url: serverUrl }).signInGuest(name);
    const api = createApi({ url: serverUrl, getToken: () => token });
    return new Person({ userId: user.userId, token }, api, await createCable(serverUrl), hertz);
  }

  join(roomId: string, connection: Connection = this.connection): Promise<RoomSession> {
    return joinRoom(connection, roomId, {
      handlerName: 'Chrome111',
      getUserMedia: async () => {
        const tone = new ToneSource(this.#hertz);
        this.#tones.push(tone);
        return new wrtc.MediaStream([tone.track]) as unknown as MediaStream;
      },
      playVoice: (userId, track) => {
        const before = this.#heard.get(userId);
        before?.stop();
        this.#heard.delete(userId);
        this.#heardBefore.delete(userId);
        if (before && track) this.#heardBefore.set(userId, before);
        if (track) this.#heard.set(userId, new HeardAudio(track as never));
      },
    });
  }

  /** Whether they hear that person's tone now, to about 5 %. */
  hears(other: Person): boolean {
    return [this.#heard, this.#heardBefore].some((heard) => {
      const hertz = heard.get(other.userId)?.hertz();
      return hertz !== undefined && Math.abs(hertz / other.#hertz - 1) < 0.05;
    });
  }

  /** Whether anything comes from that person. */
  hearsAnything(other: Person): boolean {
    return this.#heard.get(other.userId)?.hertz() !== undefined;
  }

  close(): void {
    this.connection.close();
    this.cable.close();
    for (const heard of this.#heard.values()) heard.stop();
    for (const tone of this.#tones) tone.stop();
  }
}
