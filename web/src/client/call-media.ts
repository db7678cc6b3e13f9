import type { CallRoute } from '@rostrum/shared/protocol/call.ts';
import type { Match } from '@rostrum/shared/protocol/random.ts';
import { CallMonitor } from './call-monitor.ts';
import { CallSignals } from './call-signals.ts';
import { CallStanding } from './call-standing.ts';
import type { CallQuality, NetworkFinding, RandomOptions, VideoState } from './call-types.ts';
import { CallVideo, prefer } from './call-video.ts';
import { CallWay } from './call-way.ts';
import { codeOf } from './errors.ts';
import type { LinkMessage } from './negotiation.ts';
import type { Playback } from './playback.ts';
import type { Device, Preview } from './preview.ts';
import { RemoteMedia } from './remote-media.ts';
import { securityCode } from './security-code.ts';
import { Timers } from './timers.ts';
import type { Connection } from './types.ts';

export type CallMediaOptions = {
  readonly connection: Connection;
  readonly match: Match;
  /** This page did not see the call begin: it was reloaded, or took the call over from another device. */
  readonly takenUp: boolean;
  readonly throughSfu: boolean;
  readonly preview: Preview;
  readonly playback: Playback;
  readonly random: RandomOptions;
  readonly audioOnly: boolean;
  /** Something that is shown has changed. */
  readonly changed: () => void;
  /** The server does not know this call any more. */
  readonly stale: () => void;
};

/** All media of one call: what is sent and heard, how well, and what the server is told of it. */
export class CallMedia {
  readonly #options: CallMediaOptions;
  readonly #timers = new Timers();
  readonly #standing: CallStanding;
  readonly #video: CallVideo;
  readonly #remote: RemoteMedia;
  readonly #way: CallWay;
  readonly #monitor: CallMonitor;
  #securityCode: string | null = null;
  #closed = false;

  constructor(options: CallMediaOptions) {
    const { match, preview, playback, takenUp, throughSfu, changed, audioOnly } = options;
    this.#options = options;
    this.#video = new CallVideo({ mode: match.mode, preview, audioOnly, changed: () => this.#adapted() });
    this.#remote = new RemoteMedia({ playback, changed, stats: async () => (await this.#way.reports())[0] });
    this.#remote.showVideo(!audioOnly);
    this.#standing = this.#createStanding();
    this.#way = this.#createWay();
    this.#monitor = this.#createMonitor();
    // Its media flows no more, whatever the server knows of the page before.
    if (takenUp && !throughSfu) this.#standing.begunAnew();
    this.#way.begin();
  }

  /** Null before anything was connected. */
  get quality(): CallQuality | null {
    return this.#standing.now === undefined ? null : this.#monitor.quality;
  }

  /** Whether media was lost here, and another way is looked for. */
  get lost(): boolean {
    return this.#standing.now === 'lost';
  }

  get video(): VideoState {
    return this.#video.stateOn(!this.#way.throughSfu);
  }

  get securityCode(): string | null {
    return this.#way.throughSfu ? null : this.#securityCode;
  }

  get remoteStream(): MediaStream {
    return this.#remote.stream;
  }

  get finding(): NetworkFinding {
    return this.#way.finding;
  }

  take(message: LinkMessage): void {
    this.#way.take(message);
  }

  /** This side's connection to the server is back, and the call goes on. */
  resume({ iceServers }: Match, moved: boolean): void {
    this.#standing.again();
    this.#way.resume({ iceServers, moved });
  }

  /** The other side's connection is back; what was told meanwhile did not reach them. */
  partnerReturned(): void {
    this.#way.resume({});
  }

  /** RD-4: both sides were told that the SFU carries the call from now on. */
  goThroughSfu(): void {
    if (this.#way.goThroughSfu()) this.#standing.reset();
  }

  /** Another track of this device is open, or none any more. */
  replaced(device: Device): void {
    this.#way.begin();
    if (device === 'microphone') this.#way.replaceTrack('audio');
    else this.#showVideo();
  }

  muteChanged(): void {
    this.#way.muteChanged();
  }

  /** RD-11: sends and shows no video, and asks the other side for none. */
  setAudioOnly(on: boolean): void {
    this.#video.audioOnly = on;
    this.#remote.showVideo(!on);
    this.#showVideo();
    this.#way.redirect();
  }

  partnerLevel(): number {
    return this.#remote.level();
  }

  close(): void {
    this.#closed = true;
    this.#timers.close();
    this.#monitor.close();
    this.#way.close();
    this.#remote.close();
  }

  #createStanding(): CallStanding {
    const { connection, match, stale } = this.#options;
    return new CallStanding({
      connection,
      sessionId: match.sessionId,
      timers: this.#timers,
      refused: (error) => {
        if (codeOf(error) === 'stale') stale();
      },
    });
  }

  #createWay(): CallWay {
    const { connection, match, preview, stale } = this.#options;
    const { sessionId, mode } = match;
    const signals = new CallSignals({
      connection,
      sessionId,
      timers: this.#timers,
      stale,
      unsaid: () => this.#way.resume({}),
    });
    return new CallWay({
      ...this.#options,
      timers: this.#timers,
      media: {
        kinds: mode === 'video' ? ['audio', 'video'] : ['audio'],
        trackOf: (kind) => (kind === 'video' ? this.#video.track : (preview.microphone ?? null)),
        directionOf: (kind) => (kind === 'video' && this.#video.audioOnly ? 'inactive' : 'sendrecv'),
      },
      muted: () => preview.muted,
      send: (message) => signals.send(message),
      changed: (state) => this.#pathChanged(state),
      broken: () => this.#lost(),
      rerouted: (route) => this.#rerouted(route),
      heard: (kind, track, receiver) => this.#remote.heard(kind, track, receiver),
    });
  }

  #createMonitor(): CallMonitor {
    const { connection, match, preview, changed } = this.#options;
    return new CallMonitor({
      reports: () => this.#way.reports(),
      route: () => this.#way.route,
      broken: () => this.#way.isBroken,
      ownLevel: () => preview.level(),
      muted: () => preview.muted,
      changed,
      measured: (measured, elapsedMs) => this.#video.measured(measured, elapsedMs),
      report: (report) => {
        if (this.#standing.now !== 'connected' || connection.status !== 'online') return;
        // One report less is no harm.
        connection.request('random:quality', { sessionId: match.sessionId, ...report }).catch(() => undefined);
      },
    });
  }

  #pathChanged(state: RTCPeerConnectionState): void {
    if (state === 'connected') void this.#connected();
    // A link says so itself, when it has not healed for a moment.
    else if (this.#way.throughSfu && this.#way.isBroken) this.#lost();
    this.#monitor.pathChanged();
    this.#options.changed();
  }

  #lost(): void {
    this.#standing.lost();
    this.#options.changed();
  }

  async #connected(): Promise<void> {
    const way = this.#way;
    await way.reports().catch(() => []);
    if (this.#closed || way.state !== 'connected') return;
    // A browser whose statistics do not tell the route has one nevertheless.
    this.#standing.connected(way.route ?? (way.throughSfu ? 'sfu' : 'p2p_udp'));
    this.#options.changed();
    await Promise.all([
      prefer(way.senderOf('audio')),
      this.#video.apply(way.senderOf('video')),
      this.#makeSecurityCode(),
    ]);
  }

  #rerouted(route: CallRoute): void {
    if (this.#standing.now === 'connected') this.#standing.connected(route);
  }

  async #makeSecurityCode(): Promise<void> {
    const { descriptions } = this.#way;
    if (descriptions === undefined) return;
    const code = await securityCode(descriptions.local, descriptions.remote);
    if (this.#closed || code === this.#securityCode) return;
    this.#securityCode = code;
    this.#options.changed();
  }

  #showVideo(): void {
    this.#way.replaceTrack('video');
    void this.#video.apply(this.#way.senderOf('video'));
  }

  #adapted(): void {
    this.#showVideo();
    this.#options.changed();
  }
}
