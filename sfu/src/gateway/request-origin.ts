import type { IncomingMessage } from 'node:http';
import proxyaddr from '@fastify/proxy-addr';
import { addressPart } from '../people/addresses.ts';
import type { Tracer } from '../people/traces.ts';
import type { Traces } from '../records/records.ts';

/** Where a request comes from. */
export type RequestOrigin = {
  /**
   * The peer's address as limits count it, and how a guest is known by it and by the device cookie. A whole IPv6 network is
   * one address: who has one has as many as they like (see `addressPart`).
   */
  of(request: IncomingMessage): { address: string; traces: Traces };
  /** Whether the request comes from this machine. */
  isLocal(request: IncomingMessage): boolean;
  /** Whether a browser may speak to us from the page that sent this request: ours, or one that is configured (SE-4). */
  allows(request: IncomingMessage): boolean;
};

export type OriginOptions = {
  /** Addresses and networks of proxies whose forwarded headers are believed (OP-8). */
  readonly trustedProxies: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly tracer: Tracer;
};

export const createRequestOrigin = ({ trustedProxies, allowedOrigins, tracer }: OriginOptions): RequestOrigin => {
  const trusts = proxyaddr.compile([...trustedProxies]);
  return {
    of: (request) => {
      const address = proxyaddr(request, trusts);
      const traces = tracer.tracesOf({ address, cookie: request.headers.cookie });
      return { address: addressPart(address) ?? address, traces };
    },
    // Every hop of it: one that is trusted from elsewhere could say that it asks for this machine. What comes from the address
    // that it goes to has not left the machine, whichever that is.
    isLocal: (request) =>
      proxyaddr
        .all(request, trusts)
        .every((address) => /^(127\.|::1$|::ffff:127\.)/.test(address) || address === request.socket.localAddress),
    allows: (request) => {
      const { origin, host } = request.headers;
      // Only browsers send an Origin, and only they carry cookies that another site could make use of.
      if (origin === undefined) return true;
      if (allowedOrigins.includes(origin)) return true;
      const forwardedHost = trusts(request.socket.remoteAddress ?? '', 0)
        ? request.headers['x-forwarded-host']
        : undefined;
      return URL.canParse(origin) && [host, forwardedHost].includes(new URL(origin).host);
    },
  };
};
