import type { CallRoute } from '@rostrum/shared/protocol/call.ts';
import { entriesOf } from './quality.ts';

/** What of `RTCIceCandidatePairStats` and `RTCIceCandidateStats` (W3C webrtc-stats) says which way media goes. */
type Entry = RTCStats & {
  readonly selectedCandidatePairId?: string;
  readonly selected?: boolean;
  readonly nominated?: boolean;
  readonly state?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
  readonly protocol?: string;
  readonly relayProtocol?: string;
  readonly url?: string;
};

/** Chrome and Safari name the selected pair in the transport, Firefox marks the pair. */
const selectedPair = (entries: readonly Entry[]): Entry | undefined => {
  const chosen = entries.find(({ type, selectedCandidatePairId: id }) => type === 'transport' && id !== undefined);
  const pairs = entries.filter(({ type }) => type === 'candidate-pair');
  return (
    pairs.find(({ id }) => id === chosen?.selectedCandidatePairId) ??
    pairs.find(({ selected }) => selected === true) ??
    pairs.find(({ nominated, state }) => nominated === true && state === 'succeeded')
  );
};

/** How the TURN server is reached: what the browser says, else what the server's address says (RFC 7065). */
const relayedBy = ({ relayProtocol, url = '' }: Entry): CallRoute => {
  if (relayProtocol === 'tls' || url.startsWith('turns:')) return 'turn_relay_tls';
  return relayProtocol === 'tcp' || url.includes('transport=tcp') ? 'turn_relay_tcp' : 'turn_relay_udp';
};

/** The way that media takes (RD-4, RD-13), by the statistics of a peer connection; null while there is none. */
export const routeOf = (report: RTCStatsReport): CallRoute | null => {
  const entries = entriesOf<Entry>([report]);
  const pair = selectedPair(entries);
  const local = entries.find(({ id }) => id === pair?.localCandidateId);
  if (pair === undefined || local === undefined) return null;
  if (local.candidateType === 'relay') return relayedBy(local);
  const remote = entries.find(({ id }) => id === pair.remoteCandidateId);
  // How the other side reaches its relay is theirs to tell; the server takes the longer way of both.
  if (remote?.candidateType === 'relay') return 'turn_relay_udp';
  return local.protocol === 'tcp' ? 'p2p_tcp' : 'p2p_udp';
};
