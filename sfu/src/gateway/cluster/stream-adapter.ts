import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { Logger } from '../../runtime/logger.ts';
import type { BusConnection } from '../../state/bus-connection.ts';
import { busEvent, type RostrumServer } from '../socket/types.ts';

/**
 * Socket.IO's number for what `serverSideEmit` sends, and ours for the same on its way. The adapter (0.3) sends its own number
 * by Redis' channels, which forget whatever a node does not hear at once; everything else goes into the stream, where a node that
 * was cut off for a moment finds it.
 */
const serverSideEmit = 9;
const keptServerSideEmit = 109;

/** How the data of an entry begins that carries a message of ours. */
const begins = `{"packet":[${JSON.stringify(busEvent)},"`;

type Watch = {
  /** An entry of this node was read back. */
  readonly cameBack: () => void;
  /** An entry could not be written. */
  readonly failed: () => void;
  readonly logger: Logger;
};

/**
 * Puts the Streams adapter under these sockets, for what nodes tell each other and for nothing else: an event without `local`
 * that slipped in somewhere stays on its node, and what others write into the stream reaches no listener of Socket.IO's.
 */
export const useStreamAdapter = (io: RostrumServer, connection: BusConnection, watch: Watch): void => {
  const { client, stream, mostEntries, readMs } = connection;
  const create = createAdapter(client, {
    streamName: stream,
    maxLen: mostEntries,
    blockTimeInMs: readMs,
    onlyPlaintext: true,
  });
  // Socket.IO calls it with `new`.
  function adapterFor(namespace: unknown) {
    const adapter = create(namespace);
    const publish = adapter.doPublish.bind(adapter);
    const take = adapter.onRawMessage.bind(adapter);
    let own: string | undefined;
    adapter.doPublish = async (message): Promise<string> => {
      if (Number(message.type) !== serverSideEmit) {
        watch.logger.error({ type: message.type }, 'something was to be sent to every node that is for this one');
        return '';
      }
      own = message.uid;
      try {
        return await publish(Object.assign({}, message, { type: keptServerSideEmit }));
      } catch {
        // Why, the connection has said. What is missing shows by its number.
        watch.failed();
        return '';
      }
    };
    adapter.onRawMessage = (raw, offset) => {
      if (raw.uid === own) return watch.cameBack();
      if (raw.type !== String(keptServerSideEmit) || raw.data?.startsWith(begins) !== true) return undefined;
      return take({ ...raw, type: String(serverSideEmit) }, offset);
    };
    return adapter;
  }
  io.adapter(adapterFor);
};
