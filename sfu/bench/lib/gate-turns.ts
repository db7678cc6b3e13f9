import type { GateSide } from './gate-side.ts';
import { Speaker } from './speakers.ts';

/** What switching comes to in a room with so many who listen. */
export type SwitchCount = {
  readonly listeners: number;
  readonly audienceRouters: number;
  /** Voices that were let in. */
  readonly switches: number;
  /** Requests to a worker for each of them and each audience router, whatever for. */
  readonly requests: number;
};

/** As many talk at a time as there are places, and each for so long that a place can change hands. */
const talking = 4;
const turnMs = 1000;
const packetMs = 20;

/** Lets people take turns at talking so that a voice is let in with every turn, and counts what the plane asks its workers for. */
export const countSwitches = async (side: GateSide, listeners: number, turns: number): Promise<SwitchCount> => {
  await side.begin(packetMs);
  const speakers: Speaker[] = [];
  try {
    for (let index = 0; index < 2 * talking; index += 1) speakers.push(await Speaker.open(side.seat(), 60));
    await side.letIn(listeners);
    const talk = (first: number): (() => void) => {
      const timer = setInterval(() => {
        for (let index = 0; index < talking; index += 1)
          speakers[(first + index) % speakers.length]?.sendPacket({ level: 25 });
      }, packetMs);
      return () => clearInterval(timer);
    };
    const takeTurns = async (from: number, count: number): Promise<void> => {
      for (let turn = from; turn < from + count; turn += 1) {
        const hush = talk(turn);
        await new Promise((resolve) => setTimeout(resolve, turnMs));
        hush();
      }
    };
    // Until the gate goes by what it hears.
    await takeTurns(0, talking);
    const before = await side.counts();
    await takeTurns(talking, turns);
    const after = await side.counts();
    const { audienceRouters } = after;
    // Each voice that is let in takes another one out, at every audience router.
    const switches = (after.switches - before.switches) / 2 / audienceRouters;
    const requests = (after.switchRequests - before.switchRequests) / switches / audienceRouters;
    return { listeners, audienceRouters, switches, requests };
  } finally {
    for (const speaker of speakers) speaker.close();
  }
};
