import { expect, test } from '@playwright/test';
import { type Server, startServer } from './support/server.ts';
import { Visitor } from './support/visitor.ts';

let server: Server;

test.beforeAll(async () => {
  server = await startServer({ TRUSTED_PROXIES: '127.0.0.1' });
});

test.afterAll(() => server.stop());

test('WB-2 HD-2 MO-1 MO-2 a listener joins, raises a hand, is heard, is muted, and is removed', async ({ browser }) => {
  const host = await Visitor.arrive(browser, server.url);
  const path = await host.startRoom('Hanna', 'Tea and talk');
  await host.page.getByRole('button', { name: 'Turn on mic' }).click();
  await expect(host.page.getByText('You are live', { exact: true })).toBeVisible();

  const ana = await Visitor.arrive(browser, server.url);
  await ana.join(path, 'Ana');
  await expect(ana.page.getByRole('button', { name: /Hanna/ }).first()).toBeVisible();
  await expect.poll(async () => (await ana.heardWithin(1000)).energy).toBeGreaterThan(0.0001);
  // MD-10: a listener sends nothing, ever.
  expect((await ana.heard()).packetsSent).toBe(0);

  await ana.page.getByRole('button', { name: 'Raise hand' }).click();
  await expect(ana.page.getByText('You are 1st in line', { exact: true })).toBeVisible();
  await host.page.getByRole('button', { name: 'Accept Ana’s hand' }).click();
  await ana.page.getByRole('button', { name: 'Turn on mic' }).click();
  await expect(ana.page.getByText('You are live', { exact: true })).toBeVisible();
  await expect.poll(async () => (await host.heardWithin(1000)).energy).toBeGreaterThan(0.0001);

  // Muted: not a packet leaves Ana's browser, and nothing is heard at the host.
  await ana.page.getByRole('button', { name: 'Mute', exact: true }).click();
  await expect(ana.page.getByRole('button', { name: 'Unmute' })).toBeVisible();
  await expect.poll(async () => (await ana.heardWithin(1000)).packetsSent).toBe(0);
  expect((await host.heardWithin(1000)).packetsReceived).toBe(0);
  await ana.page.keyboard.press('m');
  await expect.poll(async () => (await host.heardWithin(1000)).energy).toBeGreaterThan(0.0001);

  // Muted by the host, and kept so.
  await host.page.getByRole('button', { name: /Ana/ }).first().click();
  await host.page.getByRole('button', { name: 'Mute and keep muted' }).click();
  await host.page.getByRole('button', { name: 'Mute Ana' }).click();
  await expect(ana.page.getByRole('contentinfo').getByText('Only a moderator can unmute you.')).toBeVisible();
  await expect.poll(async () => (await host.heardWithin(1000)).packetsReceived).toBe(0);

  await host.page.getByRole('button', { name: /Ana/ }).first().click();
  await host.page.getByRole('button', { name: 'Remove Ana from the room' }).click();
  await host.page.getByRole('button', { name: 'Remove Ana from the room' }).last().click();
  await expect(ana.page.getByRole('heading', { name: 'Hanna removed you from this room' })).toBeVisible();
  expect((await ana.heardWithin(1000)).packetsReceived).toBe(0);
  await ana.page.reload();
  await expect(
    ana.page.getByText('You were removed from this room and cannot come back while it lasts.'),
  ).toBeVisible();
  await host.leave();
  await ana.leave();
});

test('RO-2 a listener is shown what a listener may do, and the host what a host may do', async ({ browser }) => {
  const host = await Visitor.arrive(browser, server.url);
  const path = await host.startRoom('Hanna', 'Who may do what');
  const ana = await Visitor.arrive(browser, server.url);
  await ana.join(path, 'Ana');
  await ana.page.getByRole('button', { name: /Hanna/ }).first().click();
  await expect(ana.page.getByLabel('How loud Hanna is for you')).toBeVisible();
  await expect(ana.page.getByRole('button', { name: /Remove|Ban|Mute and/ })).toHaveCount(0);
  await host.page.getByRole('button', { name: /Ana/ }).first().click();
  for (const name of ['Invite to speak', 'Make a moderator', 'Remove Ana from the room', 'Ban Ana from your rooms']) {
    await expect(host.page.getByRole('button', { name })).toBeVisible();
  }
  await host.leave();
  await ana.leave();
});

test('HD-2 an invitation asks for consent, and RM-3 the end of a room reaches everybody', async ({ browser }) => {
  const host = await Visitor.arrive(browser, server.url);
  const path = await host.startRoom('Hanna', 'By invitation');
  const ana = await Visitor.arrive(browser, server.url);
  await ana.join(path, 'Ana');
  await host.page.getByRole('button', { name: /Ana/ }).first().click();
  await host.page.getByRole('button', { name: 'Invite to speak' }).click();
  await expect(ana.page.getByRole('heading', { name: 'Hanna invites you to speak' })).toBeVisible();
  await ana.page.getByRole('button', { name: 'Join the stage' }).click();
  await expect(ana.page.getByRole('button', { name: 'Turn on mic' })).toBeVisible();
  await host.page.getByRole('button', { name: 'Room menu' }).click();
  await host.page.getByRole('button', { name: 'End the room' }).click();
  await host.page.getByRole('button', { name: 'End the room' }).last().click();
  await expect(ana.page.getByRole('heading', { name: 'This room has ended' })).toBeVisible();
  await host.leave();
  await ana.leave();
});

test('ID-5 the same person in a second tab takes the seat over', async ({ browser }) => {
  const host = await Visitor.arrive(browser, server.url);
  const path = await host.startRoom('Hanna', 'Two tabs');
  const second = await host.page.context().newPage();
  await second.goto(path);
  await expect(second.getByRole('button', { name: 'Leave the room' })).toBeVisible();
  await expect(host.page.getByRole('heading', { name: 'You opened this room on another device' })).toBeVisible();
  await host.page.getByRole('button', { name: 'Use here' }).click();
  await expect(host.page.getByRole('button', { name: 'Leave the room' })).toBeVisible();
  await host.leave();
});
