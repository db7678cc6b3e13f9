import { createHmac, hkdfSync } from 'node:crypto';
import { limitTable } from '@rostrum/shared/limits.ts';
import { id } from '@rostrum/shared/protocol/common.ts';
import type { Traces } from '../records/records.ts';
import { addressPart } from './addresses.ts';

/**
 * The device cookie holds a random id and no signature. A signature would keep nobody from throwing the cookie away,
 * which is the easier way around it; and nobody can pass for another device, as its id cannot be guessed (SE-7).
 */
const cookieName = 'rostrum_device';
/** As long as the longest exclusion that an operator can set (MO-2), and no longer; every visit renews it. In seconds. */
const cookieMaxAge = limitTable.guestExclusionMs.max / 1000;

export type Tracer = {
  /** The traces of a visit, from the peer's network address and the request's `Cookie` header. */
  tracesOf(visit: { readonly address: string; readonly cookie: string | undefined }): Traces;
};

/**
 * How guests are known besides their id (MO-2). Addresses are stored as an HMAC-SHA256 under a key of their own, derived
 * from the node's secret (RFC 5869): without that secret nobody can find out, by trying all of IPv4, whose it was. 22
 * characters of base64url keep 132 bits of it, far more than there are addresses.
 */
export const createTracer = (secret: Uint8Array): Tracer => {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'rostrum address hash v1', 32));
  const hash = (part: string): string => createHmac('sha256', key).update(part).digest('base64url').slice(0, 22);
  return {
    tracesOf: ({ address, cookie }) => {
      const part = addressPart(address);
      const deviceId = deviceIdFrom(cookie);
      return { ...(part && { addressHash: hash(part) }), ...(deviceId && { deviceId }) };
    },
  };
};

/** The device id in a `Cookie` header (RFC 6265 section 4.2); undefined where there is none or it is not one of ours. */
export const deviceIdFrom = (cookie: string | undefined): string | undefined => {
  for (const pair of cookie?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === cookieName && id.safeParse(value).success) return value;
  }
  return undefined;
};

/**
 * The `Set-Cookie` header for a device. No script can read it. `Lax` sends it with our own pages' requests and with links
 * that lead here, and never with what another site embeds. `secure` where people reach us over https.
 */
export const deviceCookie = (deviceId: string, options: { readonly secure: boolean }): string =>
  `${cookieName}=${deviceId}; Path=/; Max-Age=${cookieMaxAge}; HttpOnly; SameSite=Lax${options.secure ? '; Secure' : ''}`;
