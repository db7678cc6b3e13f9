import type { Page } from '@playwright/test';

/** What an ear at a page's loudspeaker noticed, and an eye on its connection. */
export type Noticed = {
  /** The longest time without a packet of a voice that is played, in milliseconds. */
  readonly longestSilenceMs: number;
  /** Since the last such packet. */
  readonly silentMs: number;
  /** Whether the page said that the connection is lost. */
  readonly saidLost: boolean;
};

declare global {
  interface Window {
    testEar: { forget(): void; noticed(): Noticed };
  }
}

/** How often it listens. Of somebody who says nothing a packet comes every 400 ms at least (DTX). In milliseconds. */
const everyMs = 50;

/** Puts an ear into a page that `Visitor` made, before anything is loaded in it. */
export const putEar = async (page: Page): Promise<void> => {
  await page.addInitScript(installEar, everyMs);
};

/** From now on everything counts anew. */
export const listenAnew = (page: Page): Promise<void> => page.evaluate(() => window.testEar.forget());

export const noticed = (page: Page): Promise<Noticed> => page.evaluate(() => window.testEar.noticed());

/** Runs in the page. What is received by a track that no element plays is not heard, and does not count. */
const installEar = (intervalMs: number): void => {
  const elements = new Set<HTMLAudioElement>();
  const Native = window.Audio;
  window.Audio = function Audio(source?: string) {
    const element = new Native(source);
    elements.add(element);
    return element;
  } as unknown as typeof window.Audio;

  const packets = new Map<string, number>();
  let heardAt = performance.now();
  let longest = 0;
  let saidLost = false;
  window.testEar = {
    forget: () => {
      heardAt = performance.now();
      longest = 0;
      saidLost = false;
    },
    noticed: () => {
      const silentMs = performance.now() - heardAt;
      return { longestSilenceMs: Math.max(longest, silentMs), silentMs, saidLost };
    },
  };

  const played = (): Set<string> =>
    new Set(
      [...elements].flatMap((element) =>
        !element.paused && element.srcObject instanceof MediaStream
          ? element.srcObject.getAudioTracks().map(({ id }) => id)
          : [],
      ),
    );
  /** Whether more came of what is played since it was asked last. */
  const came = (peer: number, entry: { trackIdentifier: string; packetsReceived: number }): boolean => {
    const key = `${peer} ${entry.trackIdentifier}`;
    const before = packets.get(key) ?? 0;
    packets.set(key, entry.packetsReceived);
    return entry.packetsReceived > before;
  };
  const listen = async (): Promise<void> => {
    const reports = await Promise.all(
      window.testPeers.map(async (peer) =>
        peer.connectionState === 'closed' ? [] : [...(await peer.getStats()).values()],
      ),
    );
    const tracks = played();
    const heard = reports.flatMap((entries, peer) =>
      entries
        .filter(({ type, trackIdentifier }) => type === 'inbound-rtp' && tracks.has(trackIdentifier))
        .map((entry) => came(peer, entry)),
    );
    if (!heard.includes(true)) return;
    const now = performance.now();
    longest = Math.max(longest, now - heardAt);
    heardAt = now;
  };
  setInterval(() => {
    saidLost ||= document.body?.textContent?.includes('Connection lost') === true;
    void listen();
  }, intervalMs);
};
