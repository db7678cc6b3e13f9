import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createRequestOrigin } from '../../src/gateway/request-origin.ts';
import { createTracer } from '../../src/people/traces.ts';

describe('where a request comes from', () => {
  const origin = createRequestOrigin({
    trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
    allowedOrigins: [],
    tracer: createTracer(Buffer.alloc(32, 1)),
  });
  const request = (remoteAddress: string, localAddress: string, forwarded?: string): IncomingMessage =>
    ({
      socket: { remoteAddress, localAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    }) as unknown as IncomingMessage;

  it('OP-1 SE-4 is this machine where it comes from here, by any of its addresses, and through a proxy that is here', () => {
    expect(origin.isLocal(request('127.0.0.1', '127.0.0.1'))).toBe(true);
    expect(origin.isLocal(request('::ffff:127.0.0.1', '::ffff:127.0.0.1'))).toBe(true);
    expect(origin.isLocal(request('192.0.2.7', '192.0.2.7'))).toBe(true);
    expect(origin.isLocal(request('127.0.0.1', '127.0.0.1', '127.0.0.1'))).toBe(true);
  });

  it('OP-1 SE-4 is another machine where anybody on the way is, whatever they say', () => {
    expect(origin.isLocal(request('198.51.100.7', '192.0.2.7'))).toBe(false);
    expect(origin.isLocal(request('198.51.100.7', '192.0.2.7', '127.0.0.1'))).toBe(false);
    expect(origin.isLocal(request('127.0.0.1', '127.0.0.1', '198.51.100.7'))).toBe(false);
    // Any pod of the network in which the proxies are.
    expect(origin.isLocal(request('10.1.2.3', '10.0.0.5', '127.0.0.1'))).toBe(false);
    expect(origin.isLocal(request('10.1.2.3', '10.0.0.5', '10.0.0.5'))).toBe(false);
  });
});
