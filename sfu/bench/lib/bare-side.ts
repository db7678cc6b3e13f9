import { freePort } from '../../test/support/free-port.ts';
import { Child } from './child.ts';
import { lostDatagrams } from './lost-datagrams.ts';
import type { Seat, Side } from './side.ts';

/** A bare mediasoup, asked over the channel between two processes. */
export const startBare = async (name = 'bare mediasoup'): Promise<Side> => {
  const port = await freePort();
  const [child] = await Child.start(new URL('./bare-server.ts', import.meta.url), { MEDIA_PORT: String(port) });
  return {
    name,
    seat: async () => bareSeat(child),
    usage: () => child.call('usage'),
    packetsSent: () => child.call('packetsSent'),
    lostDatagrams: () => lostDatagrams(port),
    transports: () => child.call('transports'),
    close: () => child.close(),
  };
};

const bareSeat = (child: Child): Seat => {
  let transportId: string | undefined;
  const opened = async <Opened extends { readonly transport: { readonly transportId: string } }>(
    opening: Promise<Opened>,
  ): Promise<Opened> => {
    const answer = await opening;
    transportId = answer.transport.transportId;
    return answer;
  };
  return {
    publish: () => opened(child.call('publish')),
    produce: (id, rtpParameters) => child.call('produce', { transportId: id, rtpParameters }),
    listen: () => opened(child.call('listen')),
    connectTransport: (id, dtlsParameters) => child.call('connect', { transportId: id, dtlsParameters }),
    leave: () => child.call('leave', { transportId }),
  };
};
