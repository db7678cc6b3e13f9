import { freePort } from '../../test/support/free-port.ts';
import { Child } from './child.ts';
import { lostDatagrams } from './lost-datagrams.ts';
import { measuredBy } from './measured.ts';
import type { HallSide, Seat } from './side.ts';

export type BareSide = HallSide & {
  /** A seat in another room than that of `seat`: each has a router of its own. */
  seatIn(room: number): Seat;
};

/** A bare mediasoup, asked over the channel between two processes. */
export const startBare = async (
  name = 'bare mediasoup',
  more: Readonly<Record<string, string>> = {},
): Promise<BareSide> => {
  const port = await freePort();
  const [child] = await Child.start(new URL('./bare-server.ts', import.meta.url), { MEDIA_PORT: `${port}`, ...more });
  return {
    ...measuredBy(child),
    name,
    seat: async () => bareSeat(child, 0),
    seatIn: (room) => bareSeat(child, room),
    letIn: async (connect) => {
      const seat = bareSeat(child, 0);
      const voices = await seat.listen();
      await connect(voices, (dtls) => seat.connectTransport(voices.transport.transportId, dtls));
    },
    // Nobody is ever moved.
    settled: async () => undefined,
    lostDatagrams: () => lostDatagrams(port),
  };
};

const bareSeat = (child: Child, room: number): Seat => {
  let transportId: string | undefined;
  let own: string | undefined;
  const opened = async <Opened extends { readonly transport: { readonly transportId: string } }>(
    opening: Promise<Opened>,
  ): Promise<Opened> => {
    const answer = await opening;
    transportId = answer.transport.transportId;
    return answer;
  };
  return {
    publish: () => opened(child.call('publish', { room })),
    produce: async (id, rtpParameters) => {
      const input = { room, transportId: id, rtpParameters };
      own = (await child.call<{ readonly producerId: string }>('produce', input)).producerId;
    },
    listen: () => opened(child.call('listen', { room, own })),
    connectTransport: (id, dtlsParameters) => child.call('connect', { transportId: id, dtlsParameters }),
    leave: () => child.call('leave', { transportId }),
  };
};
