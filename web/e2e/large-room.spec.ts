import { expect, test } from '@playwright/test';
import { commandsOf, killWorker, killWorkers } from '../test/workers.ts';
import { listenAnew, noticed, putEar } from './support/ear.ts';
import { type Server, startServer } from './support/server.ts';
import { Visitor } from './support/visitor.ts';

/** A gap that nobody takes for one: somebody who says nothing sends a packet every 400 ms (DTX), and machines have a bad moment. */
const unheardMs = 1000;

let server: Server;

test.beforeAll(async () => {
  // The second who listens splits the room: from then on the audience is on a worker of its own.
  server = await startServer({ TRUSTED_PROXIES: '127.0.0.1', WORKERS: '2', LIMIT_DIRECT_LISTENERS: '1' });
});

test.afterAll(() => server.stop());

const listened = async (): Promise<number> => (await commandsOf(server)).get('media:listen') ?? 0;

test('MD-2 MD-8 RO-3 a room outgrows a worker, loses one and then both, and everybody hears on without a tap', async ({
  browser,
}) => {
  const host = await Visitor.arrive(browser, server.url);
  const path = await host.startRoom('Hanna', 'More than one core');
  await host.page.getByRole('button', { name: 'Turn on mic' }).click();
  await expect(host.page.getByText('You are live', { exact: true })).toBeVisible();

  const ana = await Visitor.arrive(browser, server.url);
  const ben = await Visitor.arrive(browser, server.url);
  for (const visitor of [ana, ben]) await putEar(visitor.page);
  const hear = async () => {
    for (const visitor of [ana, ben])
      await expect.poll(async () => (await visitor.heardWithin(500)).energy).toBeGreaterThan(0.0001);
  };
  await ana.join(path, 'Ana');
  await expect.poll(async () => (await ana.heardWithin(500)).energy).toBeGreaterThan(0.0001);
  await listenAnew(ana.page);
  await ben.join(path, 'Ben');
  // Ana is moved to the other worker, and hears on by the old way until the new one plays.
  await expect.poll(listened).toBe(1);
  await hear();
  expect((await noticed(ana.page)).longestSilenceMs).toBeLessThan(unheardMs);

  await killWorker(server, 'most');
  await expect.poll(listened).toBeGreaterThanOrEqual(3);
  await hear();
  await expect(host.page.getByText('You are live', { exact: true })).toBeVisible();

  // With all of them Hanna loses her microphone too, and speaks again by herself.
  const soFar = await listened();
  killWorkers(server);
  await expect.poll(listened).toBeGreaterThanOrEqual(soFar + 3);
  await hear();
  await expect(host.page.getByText('You are live', { exact: true })).toBeVisible();

  const before = await listened();
  await listenAnew(ana.page);
  await ana.page.getByRole('button', { name: 'Raise hand' }).click();
  await host.page.getByRole('button', { name: 'Accept Ana’s hand' }).click();
  await ana.page.getByRole('button', { name: 'Turn on mic' }).click();
  await expect(ana.page.getByText('You are live', { exact: true })).toBeVisible();
  await expect.poll(listened).toBeGreaterThan(before);
  for (const visitor of [host, ana])
    await expect.poll(async () => (await visitor.heardWithin(500)).energy).toBeGreaterThan(0.0001);
  const { longestSilenceMs, saidLost } = await noticed(ana.page);
  expect(saidLost).toBe(false);
  expect(longestSilenceMs).toBeLessThan(unheardMs);
  for (const visitor of [ana, ben, host]) await visitor.leave();
});
