import { arriveAtPace } from '../load/pace.ts';
import { LightSocket } from './light-socket.ts';
import { Refused } from './refused.ts';
import { type RostrumSide, signIn } from './rostrum-side.ts';

/** What came of everybody's try to get in. */
export type Knocks = {
  /** How long each refusal took that said that there is no room, in milliseconds. */
  readonly refusedMs: readonly number[];
  /** How many were let in after all; they stay until everybody has tried. */
  readonly letIn: number;
  /** What else was answered. */
  readonly otherwise: readonly string[];
};

/** How many of a crowd open their sockets at a time. */
const atOnce = 20;

/** People who are connected to a server, and want into a room that is full. */
export class Crowd {
  readonly #sockets: LightSocket[] = [];
  #roomId = '';

  /** Lets so many connect. */
  async gather({ url, roomId }: RostrumSide, people: number): Promise<void> {
    this.#roomId = roomId;
    while (this.#sockets.length < people) {
      const coming = Math.min(atOnce, people - this.#sockets.length);
      const open = async () => LightSocket.open(url, await signIn(url), () => undefined);
      this.#sockets.push(...(await Promise.all(Array.from({ length: coming }, open))));
    }
  }

  /** Everybody tries once, at an even pace over so many milliseconds, whether those before were answered or not. */
  async knock(overMs: number): Promise<Knocks> {
    const refusedMs: number[] = [];
    const otherwise: string[] = [];
    const letIn: LightSocket[] = [];
    const count = this.#sockets.length;
    const knock = async (number: number): Promise<void> => {
      const socket = this.#sockets[number];
      if (socket === undefined) return;
      const begun = performance.now();
      try {
        await socket.ask('room:join', { roomId: this.#roomId, listen: true });
        letIn.push(socket);
      } catch (error) {
        const code = error instanceof Refused ? error.code : String(error);
        if (code === 'node_full') refusedMs.push(performance.now() - begun);
        else otherwise.push(code);
      }
    };
    const pace = { count, perSecond: (1000 * count) / overMs, afterMs: 0 };
    await arriveAtPace(pace, knock, new AbortController().signal);
    await Promise.all(letIn.map((socket) => socket.ask('room:leave', { roomId: this.#roomId })));
    return { refusedMs, letIn: letIn.length, otherwise };
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
