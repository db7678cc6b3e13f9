/**
 * A process that keeps a media worker busy: it sends what is no media to the worker's port, as fast as it can, until it is killed.
 * `node flood.ts PORT`.
 */
import { createSocket } from 'node:dgram';

const port = Number(process.argv[2]);
const socket = createSocket('udp4');
const datagram = Buffer.alloc(64, 0x7f);
const together = 200;

const send = (): void => {
  let left = together;
  for (let count = 0; count < together; count += 1) {
    socket.send(datagram, port, '127.0.0.1', () => {
      left -= 1;
      if (left === 0) setImmediate(send);
    });
  }
};
socket.bind(0, '127.0.0.1', send);
