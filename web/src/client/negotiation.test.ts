import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answered,
  type Described,
  inRound,
  judge,
  type LinkMessage,
  roundOf,
  type Standing,
  type Verdict,
} from './negotiation.ts';
import { idOf } from './test-support.ts';

const mine = idOf('mine');
const theirs = idOf('theirs');
const other = idOf('other');

const standing = (more: Partial<Standing> = {}): Standing => ({
  local: mine,
  former: [],
  remote: null,
  past: [],
  polite: true,
  signaling: 'stable',
  offered: [],
  takenBack: [],
  established: false,
  answered: null,
  ...more,
});
const sdp = (round: number): string => inRound('v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9\r\n', round);
const offer = (from: string, to: string | null, round = 1): LinkMessage => ({
  kind: 'offer',
  from,
  to,
  sdp: sdp(round),
});
const answer = (from: string, to: string | null, round = 1): LinkMessage => ({
  kind: 'answer',
  from,
  to,
  sdp: sdp(round),
});
const candidate = (from: string, to: string | null): LinkMessage => ({
  kind: 'candidate',
  from,
  to,
  candidate: '',
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: null,
});
const linked: Partial<Standing> = { remote: theirs, established: true };

describe('RD-2 what is done with a message of the other side', () => {
  test('RD-2 what is for another peer connection, or from an earlier one, is dropped', () => {
    for (const polite of [true, false]) {
      expect(judge(standing({ polite }), offer(theirs, other))).toBe('drop');
      expect(judge(standing({ polite, past: [theirs] }), offer(theirs, null))).toBe('drop');
      expect(judge(standing({ polite, past: [theirs] }), candidate(theirs, mine))).toBe('drop');
    }
  });

  test('RD-2 an offer is applied, and one that was answered already is answered again in the same words', () => {
    expect(judge(standing(), offer(theirs, null))).toBe('apply');
    const answered = standing({ ...linked, answered: { by: mine, from: theirs, round: 1 } });
    expect(judge(answered, offer(theirs, mine))).toBe('say-again');
    expect(judge(answered, offer(theirs, mine, 2))).toBe('apply');
    // A copy that is still on its way when this side offers, or has begun anew, says nothing new.
    expect(judge({ ...answered, signaling: 'have-local-offer' }, offer(theirs, mine))).toBe('drop');
    expect(judge({ ...answered, local: other, remote: null, established: false }, offer(theirs, null))).toBe('drop');
  });

  test('RD-2 where both offer, the polite side gives way and the impolite one insists', () => {
    const offering = { signaling: 'have-local-offer' } as const;
    expect(judge(standing({ ...offering, polite: false }), offer(theirs, null))).toBe('insist');
    expect(judge(standing({ ...offering, ...linked, polite: false }), offer(theirs, mine))).toBe('insist');
    expect(judge(standing({ ...offering, ...linked }), offer(theirs, mine))).toBe('yield');
    expect(judge(standing(offering), offer(theirs, null))).toBe('renew');
  });

  test('RD-5 an offer of an unknown peer connection says that the other side began anew', () => {
    for (const polite of [true, false]) {
      expect(judge(standing({ polite, ...linked }), offer(other, null))).toBe('renew');
      expect(judge(standing({ polite, ...linked, signaling: 'have-local-offer' }), offer(other, null))).toBe('renew');
    }
  });

  test('RD-2 an answer counts for the offer that it answers, and for no other', () => {
    const offering = standing({ signaling: 'have-local-offer', offered: [2, 3] });
    expect(judge(offering, answer(theirs, mine, 2))).toBe('apply');
    expect(judge(offering, answer(theirs, mine, 3))).toBe('apply');
    expect(judge(offering, answer(theirs, mine, 1))).toBe('drop');
    expect(judge(standing(linked), answer(theirs, mine))).toBe('drop');
    // Somebody who does not number theirs is taken at their word.
    expect(judge(offering, { kind: 'answer', from: theirs, to: mine, sdp: 'v=0' })).toBe('apply');
    // They answered what this side has taken back since: the two have agreed on different things.
    expect(judge(standing({ ...linked, takenBack: [4] }), answer(theirs, mine, 4))).toBe('offer-again');
  });

  test('RD-2 the round of a description is an attribute of its session', () => {
    expect(roundOf(sdp(7))).toBe(7);
    expect(roundOf(inRound(sdp(7), 8))).toBe(8);
    expect(inRound(sdp(7), 8)).toBe(sdp(8));
    expect(sdp(7)).toBe('v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=x-round:7\r\nm=audio 9\r\n');
    expect(roundOf('v=0\r\nm=audio 9\r\n')).toBeNull();
  });

  test('RD-2 an answer to an offer that is gone says that offers crossed: the impolite side begins anew', () => {
    const crossed = standing({ polite: false, former: [other], ...linked });
    expect(judge(crossed, answer(idOf('newer'), other))).toBe('begin-anew');
    expect(judge({ ...crossed, polite: true }, answer(idOf('newer'), other))).toBe('drop');
    expect(judge({ ...crossed, established: false }, answer(idOf('newer'), other))).toBe('drop');
    expect(judge(crossed, answer(theirs, other))).toBe('drop');
    expect(judge(crossed, candidate(idOf('newer'), other))).toBe('drop');
  });

  test('RD-2 a candidate that comes before its description is kept', () => {
    expect(judge(standing(), candidate(theirs, null))).toBe('keep');
    expect(judge(standing(linked), candidate(theirs, mine))).toBe('apply');
    expect(judge(standing(linked), candidate(other, null))).toBe('keep');
  });
});

/** An end as `P2pLink` is one, without a peer connection behind it. */
class End {
  local: string;
  former: string[] = [];
  remote: string | null = null;
  past: string[] = [];
  signaling: Standing['signaling'] = 'stable';
  offered: number[] = [];
  takenBack: number[] = [];
  established = false;
  wasConnected = false;
  answered: Answered | null = null;
  /** What was agreed on last: whose offer, and which. */
  agreed: string | null = null;
  said: Described | undefined;
  readonly polite: boolean;
  #round = 0;
  /** The first round of the present offer, which stays the same offer when it is insisted on. */
  #offer = '';
  readonly #send: (message: LinkMessage) => void;
  readonly #newId: () => string;

  constructor(polite: boolean, newId: () => string, send: (message: LinkMessage) => void) {
    this.polite = polite;
    this.#newId = newId;
    this.#send = send;
    this.local = newId();
  }

  offer(): void {
    if (this.signaling !== 'stable') {
      this.sayAgain();
      return;
    }
    this.#round += 1;
    this.signaling = 'have-local-offer';
    this.takenBack = [];
    this.offered = [this.#round];
    this.#offer = `${this.local}/${this.#round}`;
    this.#say('offer', this.#round, this.#offer);
  }

  sayAgain(): void {
    if (this.said) this.#send({ ...this.said, to: this.remote });
  }

  insist(): void {
    this.#round += 1;
    this.offered = [...this.offered, this.#round];
    this.#say('offer', this.#round, this.#offer);
  }

  /** As a page does that was reloaded: it knows nothing of before. */
  reload(): void {
    this.beginAnew();
    this.answered = null;
    this.past = [];
    this.former = [];
  }

  /** As a link does whose restarts came to nothing. */
  beginAnew(): void {
    this.#build();
    this.remote = null;
    this.offer();
  }

  /** As a link does when the connection of either side to the server is back. */
  resume(connected: boolean): void {
    if (this.signaling === 'have-local-offer') this.sayAgain();
    else if (connected) return;
    else if (this.established && !this.wasConnected) this.beginAnew();
    else this.offer();
  }

  take(message: LinkMessage): void {
    const verdict = judge(this, message);
    if (message.kind === 'candidate' || verdict === 'drop') return;
    if (verdict === 'say-again') this.sayAgain();
    else if (verdict === 'insist') this.insist();
    else if (verdict === 'begin-anew') this.beginAnew();
    else if (verdict === 'offer-again') this.offer();
    else this.#agree(message, verdict);
  }

  #agree({ kind, from, sdp }: Described, verdict: Verdict): void {
    if (verdict === 'yield') {
      this.signaling = 'stable';
      this.takenBack = this.offered;
    }
    if (verdict === 'renew') this.#build();
    // A real peer connection throws where this does not hold.
    expect(this.signaling).toBe(kind === 'offer' ? 'stable' : 'have-local-offer');
    if (this.remote !== null && this.remote !== from) this.past.push(this.remote);
    this.remote = from;
    this.established = true;
    this.signaling = 'stable';
    const [, offer = ''] = /^s=(.*)$/m.exec(sdp) ?? [];
    this.agreed = kind === 'offer' ? offer : this.#offer;
    // What is answered is what is pending, and nothing else.
    expect(offer).toBe(this.agreed);
    if (kind === 'answer') return;
    const round = roundOf(sdp) ?? 0;
    this.answered = { by: this.local, from, round };
    this.#say('answer', round, offer);
  }

  #build(): void {
    this.former.push(this.local);
    this.local = this.#newId();
    this.signaling = 'stable';
    this.offered = [];
    this.takenBack = [];
    this.established = false;
    this.wasConnected = false;
    this.agreed = null;
    this.said = undefined;
    this.#round = 0;
  }

  #say(kind: 'offer' | 'answer', round: number, offer: string): void {
    this.said = { kind, from: this.local, to: this.remote, sdp: inRound(`s=${offer}\nm=`, round) };
    this.#send(this.said);
  }
}

/** Two ends and what is on the way between them, in order, as the server relays it. The first one is impolite. */
const pair = () => {
  let ids = 0;
  const newId = (): string => {
    ids += 1;
    return idOf(`id${ids}`);
  };
  const ways: readonly [LinkMessage[], LinkMessage[]] = [[], []];
  const impolite = new End(false, newId, (message) => ways[1].push(message));
  const polite = new End(true, newId, (message) => ways[0].push(message));
  const ends = [impolite, polite] as const;
  const agree = (): boolean =>
    impolite.agreed !== null &&
    impolite.agreed === polite.agreed &&
    impolite.remote === polite.local &&
    polite.remote === impolite.local &&
    ends.every(({ signaling }) => signaling === 'stable');
  const deliver = (index: 0 | 1): void => {
    const message = ways[index].shift();
    if (message) ends[index].take(message);
    for (const end of agree() ? ends : []) end.wasConnected = true;
  };
  const settle = (): void => {
    for (let steps = 0; ways[0].length + ways[1].length > 0; steps += 1) {
      if (steps > 200) throw new Error('they do not come to an end');
      deliver(0);
      deliver(1);
    }
  };
  return { ends, ways, deliver, settle, agree };
};

type Pair = ReturnType<typeof pair>;
type Index = 0 | 1;

/** What may happen to one side, or on the way to it. */
const steps = {
  deliver: ({ deliver }: Pair, index: Index) => deliver(index),
  offer: ({ ends }: Pair, index: Index) => ends[index].offer(),
  anew: ({ ends }: Pair, index: Index) => ends[index].beginAnew(),
  reload: ({ ends }: Pair, index: Index) => ends[index].reload(),
  lose: ({ ways }: Pair, index: Index) => {
    ways[index].length = 0;
  },
};

const stepArbitrary = fc.tuple(
  fc.constantFrom<Index>(0, 1),
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('deliver' as const) },
    { weight: 2, arbitrary: fc.constant('offer' as const) },
    { weight: 3, arbitrary: fc.constantFrom('anew' as const, 'reload' as const, 'lose' as const) },
  ),
);

describe('RD-2 RD-5 two ends come to agree', () => {
  test('RD-2 RD-5 whatever crosses, is lost with a connection, or begins anew in between', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 40 }), (happened) => {
        const two = pair();
        two.ends[0].offer();
        for (const [index, step] of happened) steps[step](two, index);
        // Both connections are back at last, and each side resumes.
        const connected = two.agree();
        for (const end of two.ends) end.resume(connected);
        two.settle();
        expect(two.agree()).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
