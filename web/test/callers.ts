import { HeardAudio, ToneSource } from '../../sfu/test/support/tone.ts';
import type { CallSnapshot, RandomCalls, RandomPhase } from '../src/client/call-types.ts';
import { type Api, type Connection, createApi, createConnection } from '../src/client/index.ts';
import { openRandomCalls } from '../src/client/random-calls.ts';
import type { Air } from './air.ts';
import { type Cable, createCable } from './people.ts';
import { until } from './until.ts';
import { wrtc } from './wrtc.ts';

const storageOf = (): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> => {
  const entries = new Map<string, string>();
  return {
    getItem: (name) => entries.get(name) ?? null,
    setItem: (name, value) => void entries.set(name, value),
    removeItem: (name) => void entries.delete(name),
  };
};

type Page = { readonly cable: Cable; readonly connection: Connection; readonly calls: RandomCalls };

export type CallerOptions = {
  readonly serverUrl: string;
  readonly name: string;
  readonly hertz: number;
  readonly air: Air;
};

/** Somebody who calls at random, with the SDK in Node: speaks a tone, and tells which tone they hear. */
export class Caller {
  readonly userId: string;
  readonly token: string;
  readonly api: Api;
  readonly hertz: number;
  readonly phases: RandomPhase[] = [];
  readonly messages: string[] = [];
  /** How often a microphone was opened. */
  opened = 0;
  readonly #options: CallerOptions;
  readonly #tones: ToneSource[] = [];
  readonly #pages: Page[] = [];
  #storage = storageOf();
  #heard: { readonly track: MediaStreamTrack; readonly audio: HeardAudio } | undefined;

  private constructor(options: CallerOptions, userId: string, token: string) {
    this.#options = options;
    this.hertz = options.hertz;
    this.userId = userId;
    this.token = token;
    this.api = createApi({ url: options.serverUrl, getToken: () => token });
  }

  static async signIn(options: CallerOptions): Promise<Caller> {
    const { token, user } = await createApi({ url: options.serverUrl }).signInGuest(options.name);
    const caller = new Caller(options, user.userId, token);
    await caller.api.giveConsent({ houseRules: true });
    await caller.api.giveConsent({ minimumAge: 18 });
    await caller.openPage();
    return caller;
  }

  get page(): Page {
    const page = this.#pages.at(-1);
    if (page === undefined) throw new Error('no page is open');
    return page;
  }

  get calls(): RandomCalls {
    return this.page.calls;
  }

  get cable(): Cable {
    return this.page.cable;
  }

  get phase(): RandomPhase['phase'] {
    return this.calls.phase.phase;
  }

  /** The present call. */
  get call(): CallSnapshot {
    const { phase } = this.calls;
    if (phase.phase !== 'call') throw new Error(`not in a call but ${phase.phase}`);
    return phase.call;
  }

  get isConnected(): boolean {
    return this.phase === 'call' && this.call.phase === 'connected';
  }

  get tracks(): readonly { readonly readyState: string }[] {
    return this.#tones.map(({ track }) => track);
  }

  /** Another page with the same token: another device, unless it has the session of the one before. */
  async openPage(): Promise<void> {
    const { serverUrl, air } = this.#options;
    const cable = await createCable(serverUrl);
    const connection = createConnection({ url: cable.url, token: this.token, storage: this.#storage });
    const calls = openRandomCalls(connection, {
      createPeer: air.createPeer,
      handlerName: 'Chrome111',
      getUserMedia: async () => this.#microphone(),
    });
    calls.on('phase', (phase) => this.phases.push(phase));
    calls.on('message', ({ text }) => this.messages.push(text));
    this.#pages.push({ cable, connection, calls });
    await until('the page is connected', () => connection.status === 'online' && calls.service !== undefined);
  }

  /** Reloads the page: everything of it is gone without a word, and the next one has its session. */
  async reload(): Promise<void> {
    const { cable, calls } = this.page;
    cable.become('refusing');
    cable.cut();
    calls.dispose();
    await this.openPage();
  }

  /** Opens a page on another device. */
  async openElsewhere(): Promise<void> {
    this.#storage = storageOf();
    await this.openPage();
  }

  /** Their network is gone, and not a word says so. */
  lose(): void {
    this.cable.become('black hole');
  }

  async talk(mode: 'voice' | 'video' = 'voice'): Promise<void> {
    await this.calls.openPreview('voice');
    await this.calls.start({ mode });
  }

  hears(other: Caller): boolean {
    const hertz = this.#hertz();
    return hertz !== undefined && Math.abs(hertz / other.hertz - 1) < 0.05;
  }

  hearsAnything(): boolean {
    return this.#hertz() !== undefined;
  }

  close(): void {
    for (const { calls, connection, cable } of this.#pages) {
      calls.dispose();
      connection.close();
      cable.close();
    }
    this.#heard?.audio.stop();
    for (const tone of this.#tones) tone.stop();
  }

  #hertz(): number | undefined {
    const [track] = this.calls.remoteStream?.getAudioTracks() ?? [];
    if (track !== this.#heard?.track) {
      this.#heard?.audio.stop();
      this.#heard = track && { track, audio: new HeardAudio(track as never) };
    }
    return this.#heard?.audio.hertz();
  }

  #microphone(): MediaStream {
    this.opened += 1;
    const tone = new ToneSource(this.hertz);
    this.#tones.push(tone);
    return new wrtc.MediaStream([tone.track]) as unknown as MediaStream;
  }
}
