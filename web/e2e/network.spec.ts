import { chromium, expect, test } from '@playwright/test';
import { createFarNetwork, type FarNetwork } from './support/network.ts';
import { type Server, startServer } from './support/server.ts';
import { Visitor } from './support/visitor.ts';

let far: FarNetwork;
let server: Server;

test.beforeAll(async () => {
  far = await createFarNetwork();
  server = await startServer({ HOST: '0.0.0.0' }, far.address);
});

test.afterAll(async () => {
  await server.stop();
  await far.remove();
});

test('RE-2 a network that drops every packet for five seconds costs neither the seat nor the page', async ({
  browser,
  launchOptions,
}) => {
  const host = await Visitor.arrive(browser, server.url.replace(far.address, '127.0.0.1'));
  const path = await host.startRoom('Hanna', 'Through the wire');
  await host.page.getByRole('button', { name: 'Turn on mic' }).click();
  const farBrowser = await chromium.launch({
    ...launchOptions,
    executablePath: far.chromium,
    // To the far end the page has no name that counts as secure; a deployment has a certificate.
    args: [...(launchOptions.args ?? []), `--unsafely-treat-insecure-origin-as-secure=${server.url}`],
  });
  const ana = await Visitor.arrive(farBrowser, server.url);
  await ana.join(path, 'Ana');
  await expect.poll(async () => (await ana.heardWithin(1000)).packetsReceived).toBeGreaterThan(10);
  await ana.page.getByRole('button', { name: 'Raise hand' }).click();
  await expect(host.page.getByRole('button', { name: 'Accept Ana’s hand' })).toBeVisible();

  await far.cut();
  await ana.page.waitForTimeout(500);
  expect((await ana.heardWithin(4500)).packetsReceived).toBe(0);
  await far.mend();

  // The audio comes back by itself; the seat and the hand were never lost.
  await expect.poll(async () => (await ana.heardWithin(1000)).packetsReceived, { timeout: 30_000 }).toBeGreaterThan(10);
  await expect(host.page.getByRole('button', { name: 'Accept Ana’s hand' })).toBeVisible();
  await expect(ana.page.getByText('You are 1st in line', { exact: true })).toBeVisible();
  await farBrowser.close();
  await host.leave();
});
