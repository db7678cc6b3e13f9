import type { CallRoute } from '@rostrum/shared/protocol/call.ts';
import type { Match } from '@rostrum/shared/protocol/random.ts';
import type { CallPath } from './call-path.ts';
import type { NetworkFinding, RandomOptions } from './call-types.ts';
import { iceServersOf } from './ice-servers.ts';
import type { LinkMedia, MediaKind } from './link-end.ts';
import type { LinkMessage } from './negotiation.ts';
import { findingOf } from './network-finding.ts';
import { P2pLink } from './p2p-link.ts';
import { keepTrying } from './retry.ts';
import { routeOf } from './route.ts';
import type { Timers } from './timers.ts';
import type { Connection } from './types.ts';

export type CallWayOptions = {
  readonly connection: Connection;
  readonly match: Match;
  /** This page did not see the call begin: it begins anew, and the other side follows. */
  readonly takenUp: boolean;
  readonly throughSfu: boolean;
  readonly random: RandomOptions;
  readonly media: LinkMedia;
  readonly muted: () => boolean;
  readonly timers: Timers;
  readonly send: (message: LinkMessage) => void;
  readonly changed: (state: RTCPeerConnectionState) => void;
  /** The path broke, and another is looked for. */
  readonly broken: () => void;
  /** Media takes another route than before. */
  readonly rerouted: (route: CallRoute) => void;
  readonly heard: (kind: MediaKind, track: MediaStreamTrack, receiver: RTCRtpReceiver | undefined) => void;
  /** The server does not know this call any more. */
  readonly stale: () => void;
};

/** RD-4: what is not connected after so long asks for the last resort, while the 8 s of RD-3 run. */
const sfuAfterMs = 5000;
/** Attempts to load the code of the last resort (RE-5). */
const loadMax = 4;

/** The way that the media of one call takes: from browser to browser, and through the SFU where nothing else connects (RD-4). */
export class CallWay {
  readonly #options: CallWayOptions;
  #iceServers: readonly RTCIceServer[];
  #path: CallPath | undefined;
  #link: P2pLink | undefined;
  #throughSfu: boolean;
  #route: CallRoute | null = null;
  /** What was found out about the network when the direct way was given up. */
  #found: NetworkFinding | undefined;
  /** There was no microphone to begin with at first, so that the other side may have begun in vain. */
  #late = false;
  #closed = false;

  constructor(options: CallWayOptions) {
    this.#options = options;
    this.#iceServers = iceServersOf(options.match.iceServers);
    this.#throughSfu = options.throughSfu;
  }

  get state(): RTCPeerConnectionState {
    return this.#path?.state ?? 'new';
  }

  get isBroken(): boolean {
    return this.state === 'disconnected' || this.state === 'failed';
  }

  get throughSfu(): boolean {
    return this.#throughSfu;
  }

  get route(): CallRoute | null {
    return this.#route;
  }

  /** Both descriptions of a direct way, once they are known. */
  get descriptions(): { readonly local: string; readonly remote: string } | undefined {
    return this.#throughSfu ? undefined : this.#link?.descriptions;
  }

  /** What is wrong with this network, as far as can be told (RD-3). */
  get finding(): NetworkFinding {
    if (this.#found !== undefined || this.#link === undefined) return this.#found ?? 'unknown';
    const online = typeof navigator === 'undefined' || navigator.onLine !== false;
    const { relayOnly } = this.#options.match;
    return findingOf(this.#link.evidence, { iceServers: this.#iceServers, relayOnly, online });
  }

  /** Begins as soon as there is a microphone to begin with (RQ-10); until then nothing is done. */
  begin(): void {
    if (this.#path !== undefined || this.#closed) return;
    if (this.#options.media.trackOf('audio') === null) this.#late = true;
    else if (this.#throughSfu) void this.#openSfu();
    else this.#openLink();
  }

  /** A message of the other side. */
  take(message: LinkMessage): void {
    this.#path?.take?.(message);
  }

  /** The connection of either side to the server is back. */
  resume({ iceServers, moved = false }: { iceServers?: Match['iceServers']; moved?: boolean }): void {
    if (iceServers !== undefined) this.#iceServers = iceServersOf(iceServers);
    this.#path?.resume({ iceServers: this.#iceServers, moved });
  }

  /** The last resort; both sides were told so. Answers whether that is news. */
  goThroughSfu(): boolean {
    if (this.#throughSfu) return false;
    this.#found = this.finding;
    this.#throughSfu = true;
    this.#route = null;
    this.#path?.close();
    this.#path = undefined;
    this.begin();
    return true;
  }

  replaceTrack(kind: MediaKind): void {
    this.#path?.replaceTrack(kind);
  }

  redirect(): void {
    this.#path?.redirect?.();
  }

  muteChanged(): void {
    this.#path?.muteChanged?.();
  }

  senderOf(kind: MediaKind): RTCRtpSender | undefined {
    return this.#path?.senderOf?.(kind);
  }

  /** The statistics of the present path; what they say of the route is told where it changed (RD-13). */
  async reports(): Promise<readonly RTCStatsReport[]> {
    const path = this.#path;
    const reports = (await path?.reports()) ?? [];
    const [report] = reports;
    if (path !== this.#path || report === undefined) return reports;
    const route = this.#throughSfu ? 'sfu' : routeOf(report);
    if (route === null || route === this.#route) return reports;
    this.#route = route;
    this.#options.rerouted(route);
    return reports;
  }

  close(): void {
    this.#closed = true;
    this.#path?.close();
    this.#path = undefined;
  }

  #openLink(): void {
    const { connection, match, takenUp, random, media, send, changed, heard } = this.#options;
    const link = new P2pLink({
      polite: !match.initiateConnection,
      iceServers: this.#iceServers,
      relayOnly: match.relayOnly,
      createPeer: random.createPeer ?? ((configuration) => new RTCPeerConnection(configuration)),
      media,
      send,
      reachable: () => connection.status === 'online',
      broken: () => this.#broken(),
      changed,
      heard,
    });
    this.#link = link;
    this.#path = link;
    // What the other side said before is lost; an offer of one's own makes them say it again, or begin anew.
    if (match.initiateConnection || takenUp || this.#late) link.begin();
    this.#askForSfuLater();
  }

  async #openSfu(): Promise<void> {
    const { connection, match, random, media, muted, changed, heard, stale, timers } = this.#options;
    await keepTrying({
      attempt: async () => {
        const { SfuPath } = await import('./sfu-path.ts');
        if (this.#closed || this.#path !== undefined) return;
        const { handlerName } = random;
        const { sessionId } = match;
        this.#path = new SfuPath({ connection, sessionId, handlerName, media, muted, changed, heard, lost: stale });
      },
      wanted: () => !this.#closed && this.#path === undefined,
      again: () => true,
      most: loadMax,
      timers,
    });
  }

  /** One that only moves to another network has not lost anything yet. */
  #broken(): void {
    if (this.state !== 'connected') this.#options.broken();
  }

  /** The side that offers asks for the last resort, where nothing else connects. */
  #askForSfuLater(): void {
    const { connection, match, timers } = this.#options;
    if (!match.sfuAllowed || !match.initiateConnection) return;
    timers.after(sfuAfterMs, () => {
      if (this.state === 'connected' || this.#throughSfu || connection.status !== 'online') return;
      // Where it is refused, the time to connect runs out.
      connection.request('random:use_sfu', { sessionId: match.sessionId }).catch(() => undefined);
    });
  }
}
