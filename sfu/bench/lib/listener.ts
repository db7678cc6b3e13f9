import { LightPeer, type TellServer } from './light-peer.ts';
import type { Voices } from './side.ts';

/** The client's side of a receiving transport. */
export type Listener = {
  /** Connects, and resolves when the first audio packet has come, with that time by `performance.now()`. */
  hear(tellServer: TellServer): Promise<number>;
  close(): void;
};

export const listenerKinds = ['light', 'wrtc'] as const;
export type ListenerKind = (typeof listenerKinds)[number];

/** What makes listeners of this kind. libwebrtc is loaded only where it is asked for. */
export const listenersOf = async (kind: ListenerKind): Promise<(voices: Voices) => Listener> => {
  if (kind === 'light') return lightListener;
  const { wrtcListener } = await import('./wrtc-listener.ts');
  return wrtcListener;
};

const lightListener = ({ transport }: Voices): Listener => {
  const peer = new LightPeer(transport);
  return {
    hear: async (tellServer) => {
      await peer.connect(tellServer);
      return peer.firstPacketAt;
    },
    close: () => peer.close(),
  };
};
