import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { HeardAudio, ToneSource } from '../../../sfu/test/support/tone.ts';
import { until } from '../../test/until.ts';
import { wrtc } from '../../test/wrtc.ts';
import type { MediaKind } from './link-end.ts';
import type { LinkMessage } from './negotiation.ts';
import { P2pLink } from './p2p-link.ts';
import { securityCode } from './security-code.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

type SideOptions = { readonly relayOnly?: boolean; readonly kinds?: readonly MediaKind[] };

/** One side of a call: a real peer connection, a tone that it sends, and what it hears. What it tells waits in `told`. */
class Side {
  readonly told: LinkMessage[] = [];
  readonly peers: RTCPeerConnection[] = [];
  readonly kindsHeard: MediaKind[] = [];
  /** RD-11 */
  audioOnly = false;
  link: P2pLink;
  readonly #camera = new wrtc.nonstandard.RTCVideoSource();
  readonly #picture = this.#camera.createTrack();
  readonly #tone: ToneSource;
  readonly #polite: boolean;
  readonly #options: SideOptions;
  #heard: HeardAudio | undefined;

  constructor(polite: boolean, hertz: number, options: SideOptions = {}) {
    this.#polite = polite;
    this.#options = options;
    this.#tone = new ToneSource(hertz);
    this.link = this.#open();
    cleanUps.push(() => {
      this.link.close();
      this.#heard?.stop();
      this.#tone.stop();
      this.#picture.stop();
    });
  }

  /** The directions that video goes in now, by what was negotiated. */
  get videoDirections(): (string | null)[] {
    const transceivers = this.peers.at(-1)?.getTransceivers() ?? [];
    return transceivers.flatMap(({ receiver, currentDirection }) =>
      receiver.track.kind === 'video' ? [currentDirection] : [],
    );
  }

  setAudioOnly(on: boolean): void {
    this.audioOnly = on;
    this.link.redirect();
  }

  /** As a page does that was reloaded: begins anew, and nothing of before is left. */
  reload(): void {
    this.link.close();
    this.told.length = 0;
    this.link = this.#open();
    this.link.begin();
  }

  resume(moved = false): void {
    this.link.resume({ iceServers: [], moved });
  }

  hears(hertz: number): boolean {
    const heard = this.#heard?.hertz();
    return heard !== undefined && Math.abs(heard / hertz - 1) < 0.05;
  }

  async code(): Promise<string> {
    const { descriptions } = this.link;
    if (descriptions === undefined) throw new Error('not connected');
    return securityCode(descriptions.local, descriptions.remote);
  }

  #open(): P2pLink {
    return new P2pLink({
      polite: this.#polite,
      iceServers: [],
      relayOnly: this.#options.relayOnly ?? false,
      createPeer: (configuration) => {
        const peer = new RTCPeerConnection(configuration);
        this.peers.push(peer);
        return peer;
      },
      media: {
        kinds: this.#options.kinds ?? ['audio'],
        trackOf: (kind) => (kind === 'audio' ? this.#tone.track : this.#picture) as unknown as MediaStreamTrack,
        directionOf: (kind) => (kind === 'video' && this.audioOnly ? 'inactive' : 'sendrecv'),
      },
      send: (message) => this.told.push(message),
      reachable: () => true,
      broken: () => undefined,
      changed: () => undefined,
      heard: (kind, track) => {
        this.kindsHeard.push(kind);
        if (kind === 'video') return;
        this.#heard?.stop();
        this.#heard = new HeardAudio(track as never);
      },
    });
  }
}

const anaHertz = 440;
const bobHertz = 660;

/** Ana offers, Bob answers. */
const two = (options: SideOptions = {}, ofBob: SideOptions = {}) => ({
  ana: new Side(false, anaHertz, options),
  bob: new Side(true, bobHertz, ofBob),
});

/** Hands on what one side tells, in order, at once. */
const relay = (from: Side, to: Side): void => {
  for (const message of from.told.splice(0)) to.link.take(message);
};

/** Relays in both directions until the returned function is called. */
const connect = (one: Side, other: Side): (() => void) => {
  const timer = setInterval(() => {
    relay(one, other);
    relay(other, one);
  }, 5);
  const stop = () => clearInterval(timer);
  cleanUps.push(stop);
  return stop;
};

const hearEachOther = (ana: Side, bob: Side) =>
  until('both hear each other', () => ana.hears(bobHertz) && bob.hears(anaHertz));

describe('RD-2 two browsers', { timeout: 60_000 }, () => {
  test('RD-2 SE-9 connect over one transport, hear each other, and have the same code', async () => {
    const { ana, bob } = two();
    connect(ana, bob);
    ana.link.begin();
    await hearEachOther(ana, bob);
    expect(ana.link.state).toBe('connected');
    const code = await ana.code();
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(await bob.code()).toBe(code);
    expect(ana.peers[0]?.getConfiguration()).toMatchObject({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
  });

  test('RD-2 both offer at the same moment: the polite side gives way', async () => {
    const { ana, bob } = two();
    ana.link.begin();
    bob.link.begin();
    await until('both have offered', () => ana.told.length > 0 && bob.told.length > 0);
    connect(ana, bob);
    await hearEachOther(ana, bob);
    expect(ana.peers).toHaveLength(1);
  });

  test('RD-2 candidates that come before their description are kept', async () => {
    const { ana, bob } = two();
    ana.link.begin();
    await until('Ana has told candidates', () => ana.told.some(({ kind }) => kind === 'candidate'));
    const [offers, candidates] = [true, false].map((wanted) =>
      ana.told.filter(({ kind }) => (kind === 'offer') === wanted),
    );
    ana.told.length = 0;
    for (const message of [...(candidates ?? []), ...(offers ?? [])]) bob.link.take(message);
    // Nothing that Ana tells from now on arrives: what came too early has to be enough.
    await until('Bob has answered', () => bob.told.some(({ kind }) => kind === 'answer'));
    relay(bob, ana);
    await until('both are connected', () => {
      relay(bob, ana);
      return ana.link.state === 'connected' && bob.link.state === 'connected';
    });
  });

  test('RD-5 a page that was reloaded begins anew, and the other side follows', async () => {
    const { ana, bob } = two();
    connect(ana, bob);
    ana.link.begin();
    await hearEachOther(ana, bob);
    const before = await bob.code();
    for (const side of [bob, ana]) {
      side.reload();
      await until(
        'there is another connection',
        () => ana.link.state !== 'connected' || bob.link.state !== 'connected',
      );
      await until('both are connected', () => ana.link.state === 'connected' && bob.link.state === 'connected');
      await hearEachOther(ana, bob);
    }
    expect(await bob.code()).not.toBe(before);
    expect(await bob.code()).toBe(await ana.code());
  });

  test('RD-5 both restart ICE at once, and what is heard goes on', async () => {
    const { ana, bob } = two();
    connect(ana, bob);
    ana.link.begin();
    await hearEachOther(ana, bob);
    const ufragOf = (side: Side) => /a=ice-ufrag:(.*)/.exec(side.link.descriptions?.local ?? '')?.[1];
    const before = [ana, bob].map(ufragOf);
    ana.resume(true);
    bob.resume(true);
    await until('both have new credentials', () => [ana, bob].every((side, index) => ufragOf(side) !== before[index]));
    await until('both are connected', () => ana.link.state === 'connected' && bob.link.state === 'connected');
    await hearEachOther(ana, bob);
    expect(ana.peers).toHaveLength(1);
    expect(bob.peers).toHaveLength(1);
  });

  test('RD-5 what was lost with a connection is said again', async () => {
    const { ana, bob } = two();
    ana.link.begin();
    await until('Ana has offered', () => ana.told.length > 0);
    ana.told.length = 0;
    connect(ana, bob);
    ana.resume();
    await hearEachOther(ana, bob);
  });

  test('RD-5 an offer that never came is asked for by an offer of one’s own', async () => {
    const { ana, bob } = two();
    ana.link.begin();
    await until('Ana has offered', () => ana.told.length > 0);
    ana.told.length = 0;
    connect(ana, bob);
    bob.resume();
    await hearEachOther(ana, bob);
  });

  test('RD-11 whoever wants audio only stops the video in both directions, and starts it again', async () => {
    const kinds = ['audio', 'video'] as const;
    const { ana, bob } = two({ kinds }, { kinds });
    connect(ana, bob);
    ana.link.begin();
    await hearEachOther(ana, bob);
    for (const side of [ana, bob]) {
      expect(side.kindsHeard).toEqual(expect.arrayContaining([...kinds]));
      expect(side.videoDirections).toEqual(['sendrecv']);
    }
    const becomes = (direction: string) =>
      until(`video is ${direction}`, () => [ana, bob].every(({ videoDirections: [now] }) => now === direction));
    bob.setAudioOnly(true);
    await becomes('inactive');
    // Both at once: offers cross.
    bob.setAudioOnly(false);
    ana.setAudioOnly(true);
    await until('Ana has none', () => ana.videoDirections[0] === 'inactive' && bob.videoDirections[0] === 'inactive');
    ana.setAudioOnly(false);
    await becomes('sendrecv');
    await hearEachOther(ana, bob);
  });

  test('RD-11 what the call does not have is not taken, whatever the other side offers', async () => {
    const { ana, bob } = two({ kinds: ['audio', 'video'] });
    connect(ana, bob);
    ana.link.begin();
    await hearEachOther(ana, bob);
    expect(bob.kindsHeard).toEqual(['audio']);
    expect(bob.videoDirections).toEqual(['inactive']);
    expect(bob.link.senderOf('video')?.track ?? null).toBeNull();
  });

  test('RD-12 with the address hidden nothing is told that has one, and nothing connects without a relay', async () => {
    const { ana, bob } = two({ relayOnly: true });
    ana.link.begin();
    await until('gathering is over', () => ana.peers[0]?.iceGatheringState === 'complete');
    expect(ana.told.map(({ kind }) => kind)).toEqual(['offer']);
    expect(JSON.stringify(ana.told)).not.toContain('candidate:');
    expect(ana.peers[0]?.getConfiguration().iceTransportPolicy).toBe('relay');
    relay(ana, bob);
    await until('Bob has answered', () => bob.told.length > 0);
    expect(bob.link.evidence.remote.size).toBe(0);
  });

  test('SE-9 with somebody in between the codes differ', async () => {
    const { ana, bob } = two();
    const toAna = new Side(true, 880);
    const toBob = new Side(false, 990);
    connect(ana, toAna);
    connect(toBob, bob);
    ana.link.begin();
    toBob.link.begin();
    await until('both are connected, to whom is in between', () =>
      [ana, bob, toAna, toBob].every(({ link }) => link.state === 'connected'),
    );
    expect(await ana.code()).toBe(await toAna.code());
    expect(await ana.code()).not.toBe(await bob.code());
  });

  test('RD-2 leaves nothing open', async () => {
    const { ana, bob } = two();
    connect(ana, bob);
    ana.link.begin();
    await hearEachOther(ana, bob);
    bob.reload();
    await until('both are connected', () => ana.peers.length === 2 && ana.link.state === 'connected');
    ana.link.close();
    bob.link.close();
    for (const peer of [...ana.peers, ...bob.peers]) expect(peer.connectionState).toBe('closed');
    bob.link.take({ kind: 'offer', from: 'x', to: null, sdp: '' });
    bob.resume();
    expect(bob.link.state).toBe('closed');
  });
});

type Two = readonly [Side, Side];
type Index = 0 | 1;

/** What may happen to one side, or on the way to it. */
const steps = {
  deliver: (sides: Two, index: Index) => {
    const message = sides[index === 0 ? 1 : 0].told.shift();
    if (message !== undefined) sides[index].link.take(message);
  },
  restart: (sides: Two, index: Index) => sides[index].resume(true),
  reload: (sides: Two, index: Index) => sides[index].reload(),
  lose: (sides: Two, index: Index) => {
    sides[index].told.length = 0;
  },
};

const stepArbitrary = fc.record({
  index: fc.constantFrom<Index>(0, 1),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constant('deliver' as const) },
    { weight: 4, arbitrary: fc.constantFrom('restart' as const, 'reload' as const, 'lose' as const) },
  ),
  pauseMs: fc.integer({ min: 0, max: 60 }),
});

describe('RD-2 RD-5 real peer connections', { timeout: 240_000 }, () => {
  test('RD-2 RD-5 come to agree, whatever crosses, is lost or begins anew in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 25 }), async (happened) => {
        const { ana, bob } = two();
        const sides = [ana, bob] as const;
        ana.link.begin();
        for (const { index, what, pauseMs } of happened) {
          steps[what](sides, index);
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
        // Both connections are back at last, and each side resumes.
        connect(ana, bob);
        for (const side of sides) side.resume();
        await until('both are connected with each other', async () => {
          const [one, other] = sides.map(({ link }) => link.descriptions);
          if (one === undefined || other === undefined || !ana.hears(bobHertz) || !bob.hears(anaHertz)) return false;
          return (await ana.code()) === (await bob.code());
        });
        for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});
