import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What stands in front of several nodes: one address, behind which every new connection goes to the node of the moment. */
export type Switch = {
  readonly url: string;
  /** New connections go to this node from now on. Those that stand stay where they are. */
  goTo(url: string): void;
  close(): void;
};

export const startSwitch = async (url: string): Promise<Switch> => {
  let target = new URL(url);
  const ends = new Set<Socket>();
  const front = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const end of [near, far]) {
      ends.add(end);
      end.on('error', () => undefined).on('close', () => ends.delete(end));
    }
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const address = front.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    goTo: (next) => {
      target = new URL(next);
    },
    close: () => {
      front.close();
      for (const end of ends) end.destroy();
    },
  };
};
