/**
 * A process with people who listen and do not look. While it sleeps, nobody reads what comes to their sockets: the system keeps a packet
 * or two, throws the others away, and counts them. So thousands of listeners cost nothing but what it takes to reach them.
 */
import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import { serveParent } from './child.ts';
import { LightPeer } from './light-peer.ts';

type Sink = { readonly peer: LightPeer; readonly told: () => void; readonly connected: Promise<unknown> };

const sinks = new Map<string, Sink>();
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Makes somebody's end of a transport. Answers with what the server is to be told before `connect`. */
const open = async ({ offer }: { offer: TransportOffer }): Promise<ClientDtlsParameters> => {
  const peer = new LightPeer(offer);
  const asked = Promise.withResolvers<ClientDtlsParameters>();
  const told = Promise.withResolvers<void>();
  const connected = peer.connect((dtlsParameters) => {
    asked.resolve(dtlsParameters);
    return told.promise;
  });
  // `connect` waits for it, and sees the rejection.
  connected.catch(() => undefined);
  sinks.set(peer.transportId, { peer, told: told.resolve, connected });
  return asked.promise;
};

const connect = async ({ transportId }: { transportId: string }): Promise<void> => {
  const sink = sinks.get(transportId);
  if (sink === undefined) throw new Error('there is no such listener');
  sink.told();
  await sink.connected;
  sink.peer.keepNothing();
};

const close = ({ transportId }: { transportId: string }): void => {
  sinks.get(transportId)?.peer.close();
  sinks.delete(transportId);
};

serveParent(
  {},
  {
    open,
    connect,
    close,
    /** Packets that were read. */
    read: () => [...sinks.values()].reduce((total, { peer }) => total + peer.packets, 0),
    usedMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    /** Does nothing at all for so long: no timer of it runs, no socket of it is read. */
    sleep: ({ ms }: { ms: number }) => {
      Atomics.wait(sleeper, 0, 0, ms);
    },
  },
  async () => {
    for (const { peer } of sinks.values()) peer.close();
  },
);
