import { setTimeout as pause } from 'node:timers/promises';
import type { Usage } from './gauge.ts';
import type { Listener } from './listener.ts';
import type { Guest } from './rostrum-side.ts';
import type { Seat, Side, Voices } from './side.ts';

/** How far somebody is on the way to hearing a room. */
export const stages = ['connected', 'joined', 'listening', 'heard'] as const;
export type Stage = (typeof stages)[number];

/** When somebody reached each stage, in milliseconds since the burst began. */
export type Arrival = Partial<Record<Stage, number>>;

/** Somebody who is about to arrive. */
export type Newcomer = {
  /** What comes before listening; `reached` notes each stage. */
  enter(reached: (stage: Stage) => void): Promise<void>;
  readonly seat: Seat;
};

export type Burst = {
  readonly arrivals: readonly Arrival[];
  /** The first reasons for which somebody did not arrive. */
  readonly failures: readonly string[];
  readonly failed: number;
  /** CPU time from the first request to the last first packet, in milliseconds. */
  readonly server: Usage;
  readonly clientsMs: number;
  /** Of the worker's time, what the audio took that it sent meanwhile to those who were there already. */
  readonly forwardingMs: number;
  /** Datagrams that the worker did not get because its socket was full; undefined where the system does not say. */
  readonly lostDatagrams: number | undefined;
};

/** A guest, on a socket that is open already or that the burst opens. */
export const newcomer = (guest: Guest, roomId: string, isConnected: boolean): Newcomer => ({
  seat: guest,
  enter: async (reached) => {
    if (!isConnected) {
      await guest.connect();
      reached('connected');
    }
    await guest.join(roomId, { listen: true });
    reached('joined');
  },
});

/** Length of the time in which the cost of a packet is measured, when all have arrived, in milliseconds. */
const steadyMs = 1000;
/** How long it may take until everybody is gone again, and how often to look, in milliseconds. */
const emptyMs = 20_000;
const lookMs = 50;

/** Lets everybody arrive at the same moment, measures it, and sends them away again. */
export const runBurst = async (
  side: Side,
  newcomers: readonly Newcomer[],
  listenerFor: (voices: Voices) => Listener,
): Promise<Burst> => {
  const empty = await side.transports();
  const listeners: Listener[] = [];
  const failures: string[] = [];
  const lost = await side.lostDatagrams();
  const used = await side.usage();
  const clientsUsed = process.cpuUsage();
  const begun = performance.now();
  const arrive = async ({ enter, seat }: Newcomer): Promise<Arrival> => {
    const arrival: Arrival = {};
    const reached = (stage: Stage, at = performance.now()): void => {
      arrival[stage] = at - begun;
    };
    try {
      await enter(reached);
      const voices = await seat.listen();
      reached('listening');
      const listener = listenerFor(voices);
      listeners.push(listener);
      const { transportId } = voices.transport;
      reached('heard', await listener.hear((dtls) => seat.connectTransport(transportId, dtls)));
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
    return arrival;
  };
  const arrivals = await Promise.all(newcomers.map(arrive));
  const { user, system } = process.cpuUsage(clientsUsed);
  const after = await side.usage();
  const lostAfter = await side.lostDatagrams();
  const forwardingMs = await forwarding(side);
  for (const listener of listeners) listener.close();
  // Whoever did not get in cannot leave; that nobody stays is looked at next.
  await Promise.allSettled(newcomers.map(({ seat }) => seat.leave()));
  await untilEmpty(side, empty);
  return {
    arrivals,
    failures: failures.slice(0, 3),
    failed: failures.length,
    server: { nodeMs: after.nodeMs - used.nodeMs, workerMs: after.workerMs - used.workerMs },
    clientsMs: (user + system) / 1000,
    forwardingMs,
    lostDatagrams: lost === undefined || lostAfter === undefined ? undefined : lostAfter - lost,
  };
};

/** What the packets took that were sent so far, by what a packet costs now. */
const forwarding = async (side: Side): Promise<number> => {
  const sent = await side.packetsSent();
  const before = await side.usage();
  await pause(steadyMs);
  const after = await side.usage();
  const meanwhile = (await side.packetsSent()) - sent;
  return meanwhile === 0 ? 0 : (sent * (after.workerMs - before.workerMs)) / meanwhile;
};

const untilEmpty = async (side: Side, transports: number): Promise<void> => {
  const begun = performance.now();
  while ((await side.transports()) > transports) {
    if (performance.now() - begun > emptyMs) throw new Error(`${side.name} keeps transports of people who left`);
    await pause(lookMs);
  }
};
