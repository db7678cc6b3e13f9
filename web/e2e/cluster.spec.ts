import { expect, type Page, test } from '@playwright/test';
import { type Cluster, startCluster, stopClusters } from '../../sfu/test/support/nodes.ts';
import { listenAnew, noticed, putEar } from './support/ear.ts';
import { type Switch, startSwitch } from './support/switch.ts';
import { Visitor } from './support/visitor.ts';

/** RE-3: so long after their node died people are back, in milliseconds. */
const backMs = 5000;
/** A gap that nobody takes for one: somebody who says nothing sends a packet every 400 ms (DTX), and machines have a bad moment. */
const unheardMs = 1000;

let cluster: Cluster;
let front: Switch;

test.beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  front = await startSwitch(cluster.node(0).url);
});

test.afterAll(async () => {
  front?.close();
  await stopClusters();
});

/** Somebody who speaks at one node and stays there, and somebody who listens at the first, and will go to the second. */
const conversation = async (browser: Parameters<typeof Visitor.arrive>[0], hostAt: 0 | 1) => {
  const [first, second] = cluster.nodes.map(({ url }) => url) as [string, string];
  const host = await Visitor.arrive(browser, cluster.node(hostAt).url);
  const path = await host.startRoom('Hanna', 'Over two nodes');
  await host.page.getByRole('button', { name: 'Turn on mic' }).click();
  await expect(host.page.getByText('You are live', { exact: true })).toBeVisible();
  front.goTo(first);
  const ana = await Visitor.arrive(browser, front.url);
  await putEar(ana.page);
  await ana.join(path, 'Ana');
  await expect.poll(async () => (await ana.heardWithin(500)).energy).toBeGreaterThan(0.0001);
  expect(await cluster.node(0).metric('rostrum_worker_transports')).toBeGreaterThan(0);
  front.goTo(second);
  await listenAnew(ana.page);
  return { host, ana };
};

/** Ana sits where she sat, as what she was, and hears. */
const stillListens = async ({ page }: Visitor, host: Page): Promise<void> => {
  await expect(page.getByRole('button', { name: 'Raise hand' })).toBeVisible();
  await page.getByRole('button', { name: 'Raise hand' }).click();
  await expect(host.getByRole('button', { name: 'Accept Ana’s hand' })).toBeVisible();
};

test('OP-2 WB-4 a page whose node takes its leave plays on, and shows nothing', async ({ browser }) => {
  const { host, ana } = await conversation(browser, 1);
  expect(await cluster.node(0).stop()).toEqual({ code: 0, signal: null });
  await expect.poll(async () => (await ana.heardWithin(500)).energy).toBeGreaterThan(0.0001);
  const { longestSilenceMs, saidLost } = await noticed(ana.page);
  expect(saidLost).toBe(false);
  expect(longestSilenceMs).toBeLessThan(unheardMs);
  await stillListens(ana, host.page);
  await ana.leave();
  await host.leave();
});

test('OP-2 RE-2 voices that reach the other node only by a pipe are heard from the old one until then', async ({
  browser,
}) => {
  await cluster.node(0).start();
  // The host came to the node itself, and so cannot leave it; it carries them until its time is over.
  const { host, ana } = await conversation(browser, 0);
  const stopped = cluster.node(0).stop();
  await expect.poll(() => cluster.node(1).metric('rostrum_worker_producers')).toBe(1);
  await expect.poll(async () => (await ana.heardWithin(500)).energy).toBeGreaterThan(0.0001);
  // What is left of the old node is closed once everything is heard from the new one.
  await expect
    .poll(() => ana.page.evaluate(() => window.testPeers.filter((peer) => peer.connectionState !== 'closed').length))
    .toBe(1);
  const { longestSilenceMs, saidLost } = await noticed(ana.page);
  expect(saidLost).toBe(false);
  expect(longestSilenceMs).toBeLessThan(unheardMs);
  await host.leave();
  await ana.leave();
  // It would wait for a host who is lost as long as the room does.
  await cluster.node(0).kill();
  await stopped;
});

test('RE-3 a page whose node is killed is back by itself, and hears', async ({ browser }) => {
  await cluster.node(0).start();
  const { host, ana } = await conversation(browser, 1);
  await cluster.node(0).kill();
  await expect.poll(async () => (await noticed(ana.page)).silentMs, { timeout: 15_000 }).toBeLessThan(300);
  await expect.poll(async () => (await ana.heardWithin(500)).energy).toBeGreaterThan(0.0001);
  expect((await noticed(ana.page)).longestSilenceMs).toBeLessThan(backMs);
  await stillListens(ana, host.page);
  await expect(ana.page.getByText('Connection lost')).toHaveCount(0);
  await ana.leave();
  await host.leave();
});
