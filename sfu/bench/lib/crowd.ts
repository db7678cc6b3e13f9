/** A process with many people who listen, at several servers, and note when an event reaches each of them. */
import { serveParent } from './child.ts';
import { type Heard, LightSocket, openBareSocket } from './light-socket.ts';
import { signIn } from './rostrum-side.ts';

/** When an event reached each, by the clock that all processes share, in milliseconds; and the event as it came. */
export type Receipts = { readonly at: readonly number[]; readonly text: string; readonly cpuMs: number };

/** People who come in at a time. */
const atOnce = 10;

type Watch = {
  /** What is in the event, and in no other one. */
  readonly bytes: Buffer;
  readonly people: number;
  readonly at: number[];
  readonly everybody: PromiseWithResolvers<void>;
  readonly cpu: NodeJS.CpuUsage;
  text: string;
};

const all: { close(): void }[] = [];
let watch: Watch | undefined;

const heard: Heard = (payload, at) => {
  if (!watch || !payload.includes(watch.bytes)) return;
  watch.at.push(at);
  if (watch.at.length === 1) watch.text = payload.toString();
  if (watch.at.length === watch.people) watch.everybody.resolve();
};

const add = async (count: number, come: () => Promise<{ close(): void }>): Promise<void> => {
  for (let index = 0; index < count; index += atOnce)
    all.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - index) }, come))));
};

serveParent(
  {},
  {
    /** So many more sit down in a room, connected to this node. */
    sit: ({ url, roomId, count }: { url: string; roomId: string; count: number }) =>
      add(count, async () => {
        const socket = await LightSocket.open(url, await signIn(url), heard);
        await socket.ask('room:join', { roomId });
        return socket;
      }),
    /** So many more hear whatever is sent at this port. */
    listen: ({ port, count }: { port: number; count: number }) => add(count, () => openBareSocket(port, heard)),
    watch: ({ text, people }: { text: string; people: number }) => {
      const everybody = Promise.withResolvers<void>();
      watch = { bytes: Buffer.from(text), people, at: [], everybody, cpu: process.cpuUsage(), text: '' };
    },
    /** When the event that is watched for reached each: as soon as it has reached all, or after so long. */
    receipts: async ({ patienceMs }: { patienceMs: number }): Promise<Receipts> => {
      if (!watch) throw new Error('nothing is watched for');
      const { everybody, at, cpu } = watch;
      const patience = setTimeout(everybody.resolve, patienceMs);
      await everybody.promise;
      clearTimeout(patience);
      const { user, system } = process.cpuUsage(cpu);
      const { text } = watch;
      watch = undefined;
      return { at, text, cpuMs: (user + system) / 1000 };
    },
  },
  async () => {
    for (const one of all) one.close();
  },
);
