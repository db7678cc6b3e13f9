import type { NetworkFinding } from './call-types.ts';

/** What one end of a link gathered, and what the other end told. */
export type GatheringEvidence = {
  /** Types of candidates (RFC 8445 section 4) that were gathered here, and that came from the other side. */
  readonly local: Set<string>;
  readonly remote: Set<string>;
  /** Error codes of STUN and TURN servers (W3C WebRTC, `icecandidateerror`). */
  readonly errors: Set<number>;
  readonly gathering: RTCIceGatheringState;
};

export const emptyEvidence = (): GatheringEvidence => ({
  local: new Set(),
  remote: new Set(),
  errors: new Set(),
  gathering: 'new',
});

/** W3C WebRTC section 4.8.1.3: the server could not be reached. */
const unreachable = 701;

/** What the connection was to be helped by, and whether this machine has a network at all. */
type Path = { readonly iceServers: readonly RTCIceServer[]; readonly relayOnly: boolean; readonly online: boolean };

const hasServers = (iceServers: readonly RTCIceServer[]): boolean => iceServers.some(({ urls }) => urls.length > 0);

/**
 * What is wrong with a network over which a call did not come about (RD-3), as far as can be told from this side: STUN and
 * TURN servers that never answered speak of a firewall that drops UDP; addresses on both sides between which nothing passed,
 * of a NAT or firewall that only a relay gets through.
 */
export const findingOf = (
  { local, remote, errors, gathering }: GatheringEvidence,
  { iceServers, relayOnly, online }: Path,
): NetworkFinding => {
  // Who goes through the relay alone gathers nothing but what the relay gives.
  if (!online || (local.size === 0 && !relayOnly)) return 'no-network';
  const mapped = local.has('srflx') || local.has('relay');
  // Gathering that has ended without an error says that no server was needed: a machine with a public address.
  const unanswered = gathering !== 'complete' || errors.has(unreachable);
  if (hasServers(iceServers) && !mapped && unanswered) return 'udp-blocked';
  return remote.size > 0 ? 'strict-network' : 'unknown';
};
