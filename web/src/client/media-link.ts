import type { types } from 'mediasoup-client';
import { IceRecovery } from './ice-recovery.ts';
import type { MediaDevice } from './media-device.ts';
import type { Connection } from './types.ts';

/** What both directions of media need. */
export type MediaLinkOptions = {
  readonly connection: Pick<Connection, 'request'>;
  readonly roomId: string;
  readonly device: MediaDevice;
  /** The transport cannot be brought back by itself: another is needed. */
  readonly broken: () => void;
  /** The path broke, or stands again. */
  readonly pathChanged: () => void;
};

/** Connects a transport through the server, and brings it back when its path breaks. */
export const supervise = (transport: types.Transport, options: Omit<MediaLinkOptions, 'device'>): IceRecovery => {
  const { connection, roomId, broken, pathChanged } = options;
  const transportId = transport.id;
  const recovery = new IceRecovery({
    state: () => transport.connectionState,
    restart: async () => {
      const { iceParameters } = await connection.request('media:restart-ice', { roomId, transportId });
      // The protocol hands through what mediasoup said, so its type applies.
      await transport.restartIce({ iceParameters: iceParameters as types.IceParameters });
    },
    replace: broken,
  });
  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    connection.request('media:connect', { roomId, transportId, dtlsParameters }).then(done, failed);
  });
  transport.on('connectionstatechange', (state) => {
    recovery.changed(state);
    pathChanged();
  });
  return recovery;
};

/** A new transport has this long to connect before the one before it is closed anyway. */
const swapMs = 3000;

/** Resolves when the transport is connected, or has no more time for it. */
export const connected = (transport: types.Transport): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      transport.off('connectionstatechange', look);
      resolve();
    };
    const look = (): void => {
      if (transport.connectionState !== 'new' && transport.connectionState !== 'connecting') finish();
    };
    const timer = setTimeout(finish, swapMs);
    transport.on('connectionstatechange', look);
    look();
  });

/** A transport with what keeps it. */
export type Link = { readonly transport: types.Transport; readonly recovery: IceRecovery };

export const closeLink = ({ transport, recovery }: Link): void => {
  recovery.close();
  transport.close();
};

/** The state of a path that is being replaced: as long as the one before stands it is whole. */
export const stateOf = (link: Link | undefined, outlived: Link | undefined): types.ConnectionState | undefined =>
  outlived?.transport.connectionState === 'connected' ? 'connected' : link?.transport.connectionState;

/** The statistics of a transport; undefined when there is none, or no more. */
export const statsOf = async (transport: types.Transport | undefined): Promise<RTCStatsReport | undefined> =>
  transport === undefined || transport.closed ? undefined : transport.getStats();
