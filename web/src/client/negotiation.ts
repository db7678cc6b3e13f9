import type { CommandInput } from '@rostrum/shared/protocol/index.ts';

/** A description that goes to the other side, or comes from it; without the call that it belongs to. */
export type Described = Omit<CommandInput<'random:offer'>, 'sessionId'> & { readonly kind: 'offer' | 'answer' };
export type Trickled = Omit<CommandInput<'random:ice_candidate'>, 'sessionId'> & { readonly kind: 'candidate' };
/** What two peer connections tell each other through the server. */
export type LinkMessage = Described | Trickled;

/** An offer that was answered. `by` is the peer connection of this side that did. */
export type Answered = { readonly by: string; readonly from: string; readonly round: number };

/** How one end of a link stands in its negotiation. */
export type Standing = {
  /** The id of the peer connection at this end; a new one for each that is built. */
  readonly local: string;
  /** Ids of earlier ones at this end. */
  readonly former: readonly string[];
  /** The id of the one at the other end; null as long as none is known. */
  readonly remote: string | null;
  /** Ids of the other side's earlier peer connections: what still comes from them is of the past. */
  readonly past: readonly string[];
  /** Gives way when both offer at once. */
  readonly polite: boolean;
  readonly signaling: 'stable' | 'have-local-offer';
  /** The rounds in which the present offer of this end was made. */
  readonly offered: readonly number[];
  /** The rounds of its last offer, where that was taken back. */
  readonly takenBack: readonly number[];
  /** A description of the other side holds. */
  readonly established: boolean;
  /** The offer that was answered last, by this end or by one before it. */
  readonly answered: Answered | null;
};

/**
 * What to do with a message:
 * - `drop`: of the past, or for another end;
 * - `apply`: take the description or the candidate;
 * - `keep`: a candidate that came before its description;
 * - `yield`: take back one's own offer, then apply theirs;
 * - `renew`: build a new peer connection, and apply their offer to that;
 * - `insist`: make one's own offer again, in a round of its own, and leave theirs;
 * - `offer-again`: they have answered an offer that was taken back, so the two have agreed on different things;
 * - `begin-anew`: the other side has agreed with a peer connection that is gone here: a new one, and a new offer;
 * - `say-again`: it was answered already, and the answer may have been lost.
 */
export type Verdict =
  | 'drop'
  | 'apply'
  | 'keep'
  | 'yield'
  | 'renew'
  | 'insist'
  | 'offer-again'
  | 'begin-anew'
  | 'say-again';

/**
 * The round of a description: each offer has another, and its answer has the same. What is said again after a connection
 * was away arrives twice, and would else be taken for something newer. It is an attribute of the session, which whoever does
 * not know it ignores (RFC 8866 section 5.13). Null for a description of somebody who does not number theirs.
 */
export const roundOf = (sdp: string): number | null => {
  const found = /^a=x-round:(\d{1,9})\r?$/m.exec(sdp);
  return found === null ? null : Number(found[1]);
};

/** The description with its round, which goes before the first media section (RFC 8866 section 5). */
export const inRound = (sdp: string, round: number): string =>
  sdp.replace(/^a=x-round:\d+\r?\n/m, '').replace(/^m=/m, `a=x-round:${round}\r\nm=`);

/**
 * Perfect negotiation (W3C WebRTC section 10.7) between ends that may be replaced, over a relay that may lose messages while
 * a connection is away. The caller runs one step after the other, so an end is never asked in the middle of one: that is
 * what `makingOffer` and `isSettingRemoteAnswerPending` are for in the specification's example.
 */
export const judge = (standing: Standing, message: LinkMessage): Verdict => {
  const { from, to } = message;
  if (standing.past.includes(from)) return 'drop';
  if (to !== null && to !== standing.local) return isAstray(standing, message) ? 'begin-anew' : 'drop';
  if (message.kind === 'candidate') return standing.remote === from && standing.established ? 'apply' : 'keep';
  return message.kind === 'answer' ? judgeAnswer(standing, message) : judgeOffer(standing, message);
};

/**
 * Whether the other side answers an offer that is not held up here any more, while this side has agreed with a peer
 * connection that is gone there: offers have crossed, and each waits for the other. The impolite side begins anew.
 */
const isAstray = ({ polite, former, remote, established }: Standing, { kind, from, to }: LinkMessage): boolean =>
  kind === 'answer' && !polite && established && from !== remote && to !== null && former.includes(to);

/** Whoever answers is who has the offer, also where they built a new peer connection for it. */
const judgeAnswer = ({ signaling, offered, takenBack, remote }: Standing, { from, sdp }: Described): Verdict => {
  const round = roundOf(sdp);
  if (signaling === 'have-local-offer' && (round === null || offered.includes(round))) return 'apply';
  return round !== null && takenBack.includes(round) && from === remote ? 'offer-again' : 'drop';
};

const judgeOffer = (standing: Standing, { from, sdp }: Described): Verdict => {
  const { local, remote, polite, signaling, established, answered } = standing;
  if (established && from !== remote) return 'renew';
  if (answered !== null && answered.from === from && answered.round === roundOf(sdp))
    return signaling === 'stable' && answered.by === local ? 'say-again' : 'drop';
  if (signaling === 'stable') return 'apply';
  // The other may not have heard this side's offer, and then waits for it in vain.
  if (!polite) return 'insist';
  // What an offer that was never answered put into the peer connection stays there when it is taken back.
  return established ? 'yield' : 'renew';
};
