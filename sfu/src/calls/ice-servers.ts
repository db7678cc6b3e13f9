import { createHmac } from 'node:crypto';
import type { Clock } from '../runtime/clock.ts';

/** What an RTCPeerConnection takes as one of its `iceServers` (W3C WebRTC, RTCIceServer). */
export type IceServer = { urls: string[]; username?: string; credential?: string };

/** SE-3: TURN credentials expire in an hour. In seconds. */
const lifetime = 60 * 60;

export type IceServersOptions = {
  /** STUN servers, without credentials; none where the list is empty. */
  readonly stunUrls: readonly string[];
  /** The TURN server and the secret that it shares with us; undefined where none is configured. */
  readonly turn: { readonly urls: readonly string[]; readonly secret: string } | undefined;
  readonly clock: Clock;
};

/**
 * ICE servers for one user: those of STUN in one entry, then those of TURN in one. The credentials are those of
 * draft-uberti-behave-turn-rest-00 (coturn: `use-auth-secret`): the username is the expiry in seconds since the Unix epoch, a
 * colon and the user's id, the password its HMAC-SHA1 under the shared secret. coturn counts a user's quota by what follows
 * the colon.
 */
export const createIceServers = ({ stunUrls, turn, clock }: IceServersOptions) => {
  const stun: IceServer[] = stunUrls.length > 0 ? [{ urls: [...stunUrls] }] : [];
  return (userId: string): IceServer[] => {
    if (!turn) return [...stun];
    const username = `${Math.floor(clock.now() / 1000) + lifetime}:${userId}`;
    const credential = createHmac('sha1', turn.secret).update(username).digest('base64');
    return [...stun, { urls: [...turn.urls], username, credential }];
  };
};
