import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';

/** ICE servers as the browser takes them: a field that is not there is left out. */
export const iceServersOf = (servers: TransportOffer['iceServers']): RTCIceServer[] =>
  servers.map(({ urls, username, credential }) => ({
    urls,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential }),
  }));
