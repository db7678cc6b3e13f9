import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const mostTries = 50;

/**
 * A port that is free for UDP and TCP, and so are the ones after it: a media worker wants one, and is told which. It lies
 * below the ports that Linux gives to connections by itself, so that none of those takes it before it is used.
 */
export const freePort = async (count = 1): Promise<number> => {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const first = randomInt(20_000, 32_000);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error('no free port was found');
};

const isFree = async (port: number): Promise<boolean> => {
  const tcp = createServer().listen(port);
  const udp = createSocket('udp4').bind(port);
  try {
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    return true;
  } catch {
    return false;
  } finally {
    tcp.close();
    udp.close();
  }
};
