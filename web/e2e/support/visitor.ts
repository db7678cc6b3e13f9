import { type Browser, type BrowserContext, expect, type Page } from '@playwright/test';

/** What a page's peer connections have counted so far, all together. */
export type Heard = {
  /** W3C webrtc-stats, totalAudioEnergy of what was received: the sum of squared level times seconds. */
  readonly energy: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly framesDecoded: number;
};

declare global {
  interface Window {
    testPeers: RTCPeerConnection[];
  }
}

/** Somebody with a browser of their own: their own storage and cookies, their own address. */
export class Visitor {
  #page: Page;
  readonly #context: BrowserContext;

  private constructor(page: Page, context: BrowserContext) {
    this.#page = page;
    this.#context = context;
  }

  get page(): Page {
    return this.#page;
  }

  static async arrive(
    browser: Browser,
    url: string,
    options: { address?: string; viewport?: { width: number; height: number } } = {},
  ) {
    const { address = newAddress(), viewport = { width: 1280, height: 800 } } = options;
    const context = await browser.newContext({
      baseURL: url,
      viewport,
      // The server of the tests believes it, as it would a proxy: a kick covers an address, and not everybody's.
      extraHTTPHeaders: { 'x-forwarded-for': address },
      permissions: ['microphone', 'camera'],
    });
    await context.addInitScript(() => {
      window.testPeers = [];
      const Native = window.RTCPeerConnection;
      window.RTCPeerConnection = class extends Native {
        constructor(...args: ConstructorParameters<typeof RTCPeerConnection>) {
          super(...args);
          window.testPeers.push(this);
        }
      };
    });
    return new Visitor(await context.newPage(), context);
  }

  /** Says a name where the page asks for one. */
  async sayName(name: string): Promise<void> {
    const { page } = this;
    await page.getByLabel('Your name').fill(name);
    await page.getByLabel('Your name').press('Enter');
  }

  /** Starts a room from the home page, and answers its path. */
  async startRoom(name: string, title: string): Promise<string> {
    const { page } = this;
    await page.goto('/');
    await page.getByRole('link', { name: 'Start a room' }).click();
    await page.getByLabel('Title').fill(title);
    await page.getByRole('button', { name: 'Start the room' }).click();
    await this.sayName(name);
    await page.waitForURL(/\/rooms\//);
    await page.getByRole('heading', { name: title }).waitFor();
    return new URL(page.url()).pathname;
  }

  /** Opens a room by its address and joins it. */
  async join(path: string, name: string): Promise<void> {
    await this.page.goto(path);
    await this.sayName(name);
    await this.page.getByRole('button', { name: 'Leave the room' }).waitFor();
  }

  /** Chooses how to talk on the page of random calls, presses the large button, and answers what it asks a newcomer. */
  async lookForSomebody(name: string, mode: 'Voice' | 'Video' | 'Text' = 'Voice'): Promise<void> {
    const { page } = this;
    await page.goto('/talk');
    await page.getByRole('radio', { name: mode }).check();
    await page.getByRole('button', { name: 'Talk to someone' }).click();
    await this.sayName(name);
    await page.getByRole('button', { name: 'I am 18 or older' }).click();
    // Nobody is shown to a stranger before they have seen themselves.
    if (mode === 'Video') await page.getByRole('button', { name: 'Start', exact: true }).click();
  }

  /** Waits until this person talks to somebody: media flows, or a text call is there. */
  async talksTo(name: string): Promise<void> {
    await this.page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
    await this.page.getByRole('timer', { name: 'Length of the call' }).waitFor();
  }

  /** The tab dies without a word, as when its process is killed; what it had kept for itself is there afterwards. */
  async crash(): Promise<void> {
    const kept = await this.page.evaluate(() => ({ ...sessionStorage }));
    const dead = this.page.waitForEvent('crash');
    void this.page.goto('chrome://crash').catch(() => undefined);
    await dead;
    this.#page = await this.#context.newPage();
    await this.#page.addInitScript((items) => {
      for (const [key, value] of Object.entries(items)) sessionStorage.setItem(key, value);
    }, kept);
  }

  /** Comes back to the call with somebody: it is there at once, or with the one click where another session holds it. */
  async comeBack(name: string): Promise<void> {
    const { page } = this;
    const there = page.getByRole('heading', { name, level: 1, exact: true });
    const begin = page.getByRole('button', { name: 'Talk to someone' });
    await page.goto('/talk');
    await there.or(begin).waitFor();
    // The page may take the call up by itself in just the moment of the click; a person would look, and click again.
    await expect(async () => {
      if (await begin.isVisible()) await begin.click({ timeout: 2000 });
      await expect(there).toBeVisible({ timeout: 4000 });
    }).toPass({ timeout: 20_000 });
  }

  /** The partner's picture as it is painted, as a few grey values; empty where there is none. */
  async painted(): Promise<readonly number[]> {
    return this.page.evaluate(() => {
      const video = document.querySelector<HTMLVideoElement>('.callstage__video');
      const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      if (video === null || context === null || video.videoWidth === 0) return [];
      const [columns, rows] = [16, 9];
      context.drawImage(video, 0, 0, columns, rows);
      const { data } = context.getImageData(0, 0, columns, rows);
      return Array.from({ length: columns * rows }, (_, index) => data[4 * index + 1] ?? 0);
    });
  }

  async heard(): Promise<Heard> {
    return this.page.evaluate(async () => {
      const open = window.testPeers.filter((peer) => peer.connectionState !== 'closed');
      const reports = await Promise.all(open.map((peer) => peer.getStats()));
      const entries = reports.flatMap((report) => [...report.values()]);
      const sum = (type: string, field: string): number =>
        entries.filter((entry) => entry.type === type).reduce((total, entry) => total + (entry[field] ?? 0), 0);
      return {
        energy: sum('inbound-rtp', 'totalAudioEnergy'),
        packetsReceived: sum('inbound-rtp', 'packetsReceived'),
        packetsSent: sum('outbound-rtp', 'packetsSent'),
        framesDecoded: sum('inbound-rtp', 'framesDecoded'),
      };
    });
  }

  /** What is counted over so many milliseconds. */
  async heardWithin(ms: number): Promise<Heard> {
    const before = await this.heard();
    await this.page.waitForTimeout(ms);
    const after = await this.heard();
    return {
      energy: after.energy - before.energy,
      packetsReceived: after.packetsReceived - before.packetsReceived,
      packetsSent: after.packetsSent - before.packetsSent,
      framesDecoded: after.framesDecoded - before.framesDecoded,
    };
  }

  /** Another tab of the same person. */
  async anotherTab(): Promise<Page> {
    return this.#context.newPage();
  }

  async leave(): Promise<void> {
    await this.#context.close();
  }
}

let addresses = 0;

/** An address that no other visitor has, from the block for documentation (RFC 5737). */
const newAddress = (): string => {
  addresses += 1;
  return `203.0.113.${addresses}`;
};
