import type { Browser, BrowserContext, Page } from '@playwright/test';

/** What a page's peer connections have counted so far, all together. */
export type Heard = {
  /** W3C webrtc-stats, totalAudioEnergy of what was received: the sum of squared level times seconds. */
  readonly energy: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
};

declare global {
  interface Window {
    testPeers: RTCPeerConnection[];
  }
}

/** Somebody with a browser of their own: their own storage and cookies, their own address. */
export class Visitor {
  readonly page: Page;
  readonly #context: BrowserContext;

  private constructor(page: Page, context: BrowserContext) {
    this.page = page;
    this.#context = context;
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
      permissions: ['microphone'],
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
    };
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
