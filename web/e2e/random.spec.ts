import { expect, type Page, test } from '@playwright/test';
import { type Server, startServer } from './support/server.ts';
import { Visitor } from './support/visitor.ts';

let server: Server;

/** Longer than the 10 s of RD-5, in milliseconds: starting a browser's tab on a busy machine takes a part of it. */
const resumeMs = 25_000;

test.beforeAll(async () => {
  server = await startServer({
    TRUSTED_PROXIES: '127.0.0.1',
    // Two who wait alone meet again after one second: enough to be seen.
    LIMIT_REPEAT_HOLD_MS: '1000',
    LIMIT_RESUME_MS: String(resumeMs),
  });
});

test.afterAll(() => server.stop());

const control = (page: Page, name: string) => page.getByRole('contentinfo').getByRole('button', { name, exact: true });
const searching = (page: Page) => page.getByRole('heading', { name: 'Looking for somebody' });

/** A sound that is heard over one second. */
const voiceAt = (visitor: Visitor) => expect.poll(async () => (await visitor.heardWithin(1000)).energy);

test('RQ-1 RD-1 RD-2 RD-6 RD-9 RD-10 SE-9 from one click to talking: heard by both, muted, written to, next, rated, and again', async ({
  browser,
}) => {
  const ana = await Visitor.arrive(browser, server.url);
  const ben = await Visitor.arrive(browser, server.url);
  await ana.page.goto('/');
  await expect(ana.page.getByRole('link', { name: 'Start a room' })).toBeVisible();
  await expect(ana.page.getByRole('link', { name: /^Talk to someone/ })).toBeVisible();

  await ana.lookForSomebody('Ana');
  await expect(searching(ana.page)).toBeVisible();
  await expect(ana.page.getByText('Nobody else is waiting right now.')).toBeVisible();
  await ben.lookForSomebody('Ben');
  await Promise.all([ana.talksTo('Ben'), ben.talksTo('Ana')]);
  await Promise.all([voiceAt(ana).toBeGreaterThan(0.0001), voiceAt(ben).toBeGreaterThan(0.0001)]);

  // SE-9: both see the same code.
  const codeOf = (page: Page) => page.getByRole('button', { name: /^Security code/ }).getAttribute('aria-label');
  const code = await codeOf(ana.page);
  expect(code).toMatch(/^Security code \S{5}.\S{5}$/);
  expect(await codeOf(ben.page)).toBe(code);

  await ana.page.keyboard.press('m');
  await expect(control(ana.page, 'Unmute')).toBeVisible();
  await voiceAt(ben).toBeLessThan(0.0001);
  await ana.page.keyboard.press('m');

  await control(ana.page, 'Chat').click();
  await ana.page.getByLabel('Write a message').fill('Hello <b>Ben</b>');
  await ana.page.getByLabel('Write a message').press('Enter');
  await control(ben.page, 'Chat, 1 new message').click();
  await expect(ben.page.getByText('Hello <b>Ben</b>', { exact: true })).toBeVisible();
  // In a text Esc skips nobody.
  await ben.page.getByLabel('Write a message').press('Escape');
  await ben.page.getByRole('button', { name: 'Close the chat' }).click();
  await expect(control(ben.page, 'Chat')).toBeFocused();

  await ben.page.keyboard.press('Escape');
  await expect(searching(ben.page)).toBeVisible();
  await expect(ana.page.getByRole('heading', { name: 'Your call with Ben' })).toBeFocused();
  await expect(ana.page.getByText('Ben went on to somebody else.', { exact: true })).toBeVisible();
  await ana.page.getByRole('radio', { name: '4 stars' }).check();
  await expect(ana.page.getByText('Your rating is kept.')).toBeVisible();
  await ana.page.getByLabel('Anything to add?').fill('A good talk');
  await ana.page.getByRole('button', { name: 'Send' }).click();
  await expect(ana.page.getByRole('button', { name: 'Sent' })).toBeVisible();

  // RQ-4: nobody else waits, so the two meet again; space is all it takes.
  await ana.page.getByRole('heading', { name: 'Your call with Ben' }).focus();
  await ana.page.keyboard.press(' ');
  await Promise.all([ana.talksTo('Ben'), ben.talksTo('Ana')]);
  await voiceAt(ana).toBeGreaterThan(0.0001);
  await control(ana.page, 'End the call').click();
  await expect(ana.page.getByText('You ended the call.', { exact: true })).toBeVisible();
  await expect(ben.page.getByText('Ana ended the call.', { exact: true })).toBeVisible();
  await control(ana.page, 'Home').click();
  await expect(ana.page.getByRole('heading', { name: 'Live now' })).toBeVisible();
  await Promise.all([ana.leave(), ben.leave()]);
});

test('RQ-9 RQ-10 RD-11 a video call is seen before and in it, by both, and a camera goes off and on', async ({
  browser,
}) => {
  const ana = await Visitor.arrive(browser, server.url);
  const ben = await Visitor.arrive(browser, server.url, { viewport: { width: 390, height: 780 } });
  await ana.lookForSomebody('Ana', 'Video');
  await ben.lookForSomebody('Ben', 'Video');
  await Promise.all([ana.talksTo('Ben'), ben.talksTo('Ana')]);
  for (const visitor of [ana, ben]) {
    await expect.poll(async () => (await visitor.heardWithin(1000)).framesDecoded).toBeGreaterThan(4);
    const first = await visitor.painted();
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(30);
    // It moves: what is painted later is another picture.
    await expect.poll(() => visitor.painted()).not.toEqual(first);
    await expect(visitor.page.getByLabel('Your own picture')).toBeVisible();
  }
  await control(ana.page, 'Turn the camera off').click();
  await expect(ana.page.getByText('Your camera is off')).toBeVisible();
  // Nothing comes any more, and the face stands in its place.
  await expect(ben.page.locator('.callstage__name')).toHaveText('Ana');
  await control(ana.page, 'Turn the camera on').click();
  await expect(ben.page.locator('.callstage__name')).toHaveCount(0);
  await expect.poll(async () => (await ben.heardWithin(1000)).framesDecoded).toBeGreaterThan(4);
  await Promise.all([ana.leave(), ben.leave()]);
});

test('RQ-9 RQ-4 SF-1 SF-4 who was blocked is never met again: a third one is, and is reported', async ({ browser }) => {
  const [ana, ben, chi] = await Promise.all([1, 2, 3].map(() => Visitor.arrive(browser, server.url)));
  if (ana === undefined || ben === undefined || chi === undefined) throw new Error('three people are needed');
  await ana.lookForSomebody('Ana', 'Text');
  await ben.lookForSomebody('Ben', 'Text');
  await Promise.all([ana.talksTo('Ben'), ben.talksTo('Ana')]);
  await ana.page.getByLabel('Write a message').fill('Good evening');
  await ana.page.getByRole('button', { name: 'Send' }).click();
  await expect(ben.page.getByRole('log').getByText('Good evening')).toBeVisible();

  await ana.page.getByRole('button', { name: 'More about this call' }).click();
  await ana.page.getByRole('button', { name: 'Block Ben' }).click();
  await ana.page
    .getByRole('dialog')
    .or(ana.page.getByRole('alertdialog'))
    .getByRole('button', { name: 'Block Ben' })
    .click();
  await expect(ana.page.getByText('You blocked Ben.', { exact: true })).toBeVisible();
  // Ben is not told that it was a block.
  await expect(ben.page.getByText('Ana ended the call.', { exact: true })).toBeVisible();

  await control(ana.page, 'Next person').click();
  await control(ben.page, 'Next person').click();
  await expect(searching(ana.page)).toBeVisible();
  await expect(searching(ben.page)).toBeVisible();
  // Longer than two who were not blocked would wait for each other.
  await ben.page.waitForTimeout(2500);
  await expect(searching(ana.page)).toBeVisible();
  await chi.lookForSomebody('Chi', 'Text');
  await Promise.all([ana.talksTo('Chi'), chi.talksTo('Ana')]);
  await expect(searching(ben.page)).toBeVisible();

  await chi.page.getByRole('button', { name: 'More about this call' }).click();
  await chi.page.getByRole('button', { name: 'Report Ana' }).click();
  const report = chi.page.getByRole('dialog', { name: 'Report Ana' });
  await report.getByRole('button', { name: 'Report Ana' }).click();
  await expect(report.getByText('Choose what is wrong.')).toBeVisible();
  await report.getByLabel('Advertising or fraud').check();
  await report.getByLabel('What happened?').fill('Wanted to sell me a boat');
  await report.getByRole('button', { name: 'Report Ana' }).click();
  await expect(chi.page.getByText('Thank you. Ana was reported.').first()).toBeVisible();
  await control(chi.page, 'End the call').click();
  await expect(chi.page.getByRole('button', { name: 'Reported' })).toBeDisabled();

  // A block after a call is taken back with one tap, and the two can meet again.
  await chi.page.getByRole('button', { name: 'Block Ana' }).click();
  await expect(chi.page.getByRole('button', { name: 'Blocked' })).toBeVisible();
  await chi.page.getByRole('button', { name: 'Undo' }).click();
  await expect(chi.page.getByText('Ana is not blocked any more.').first()).toBeVisible();
  await Promise.all([ana.leave(), ben.leave(), chi.leave()]);
});

test('RD-5 a tab that is killed resumes its call when it is back in time, and ends it when it is not', async ({
  browser,
}) => {
  const ana = await Visitor.arrive(browser, server.url);
  const ben = await Visitor.arrive(browser, server.url);
  await ana.lookForSomebody('Ana');
  await ben.lookForSomebody('Ben');
  await Promise.all([ana.talksTo('Ben'), ben.talksTo('Ana')]);
  await voiceAt(ana).toBeGreaterThan(0.0001);

  const away = ana.page.getByText(/^Ben lost the connection\. Waiting for \d+ s$/);
  await ben.crash();
  await expect(away).toBeVisible();
  await ben.comeBack('Ana');
  await ben.talksTo('Ana');
  await expect(away).toHaveCount(0);
  await Promise.all([voiceAt(ana).toBeGreaterThan(0.0001), voiceAt(ben).toBeGreaterThan(0.0001)]);

  await ben.crash();
  await expect(away).toBeVisible();
  const lost = ana.page.getByText('The connection was lost and did not come back.', { exact: true });
  await expect(lost).toBeVisible({ timeout: 2 * resumeMs });
  await Promise.all([ana.leave(), ben.leave()]);
});

test('RQ-5 ID-5 whoever listens to a room is asked to leave it first, and waits in one place only', async ({
  browser,
}) => {
  const host = await Visitor.arrive(browser, server.url);
  const path = await host.startRoom('Hanna', 'Before the call');
  const ana = await Visitor.arrive(browser, server.url);
  await ana.join(path, 'Ana');
  const talk = await ana.anotherTab();
  await talk.goto('/talk');
  await talk.getByRole('radio', { name: 'Text' }).check();
  await talk.getByRole('button', { name: 'Talk to someone' }).click();
  await talk.getByRole('button', { name: 'I am 18 or older' }).click();
  await expect(talk.getByRole('heading', { name: 'Leave your room first?' })).toBeVisible();
  await talk.getByRole('button', { name: 'Leave the room and talk' }).click();
  await expect(searching(talk)).toBeVisible();
  await expect(ana.page.getByRole('button', { name: 'Leave the room' })).toHaveCount(0);
  await expect(host.page.getByText('Nobody is listening yet.', { exact: false })).toBeVisible();

  const other = await ana.anotherTab();
  await other.goto('/talk');
  await other.getByRole('button', { name: 'Talk to someone' }).click();
  await expect(searching(other)).toBeVisible();
  await expect(talk.getByRole('heading', { name: 'You are looking on another device' })).toBeVisible();
  await talk.getByRole('button', { name: 'Continue here' }).click();
  await expect(searching(talk)).toBeVisible();
  await talk.getByRole('button', { name: 'Stop' }).click();
  await expect(talk.getByRole('button', { name: 'Talk to someone' })).toBeVisible();

  // Whoever is on a stage is told to leave it, and nothing is left for them.
  const second = await host.anotherTab();
  await second.goto('/talk');
  await second.getByRole('radio', { name: 'Text' }).check();
  await second.getByRole('button', { name: 'Talk to someone' }).click();
  await second.getByRole('button', { name: 'I am 18 or older' }).click();
  await expect(second.getByText('You are on the stage of a room.', { exact: false })).toBeVisible();
  await expect(host.page.getByRole('button', { name: 'Leave the room' })).toBeVisible();

  // SF-1 SF-4: in a room, too, everybody can report and block.
  const listener = await Visitor.arrive(browser, server.url);
  await listener.join(path, 'Ben');
  await listener.page.getByRole('button', { name: /Hanna/ }).first().click();
  await listener.page.getByRole('button', { name: 'Report Hanna' }).click();
  const report = listener.page.getByRole('dialog', { name: 'Report Hanna' });
  await report.getByLabel('Insults or harassment').check();
  await report.getByRole('button', { name: 'Report Hanna' }).click();
  await expect(listener.page.getByText('Thank you. Hanna was reported.').first()).toBeVisible();
  await listener.page.getByRole('button', { name: /Hanna/ }).first().click();
  await listener.page.getByRole('button', { name: 'Block Hanna' }).click();
  await expect(listener.page.getByText('Hanna was blocked.').first()).toBeVisible();
  await Promise.all([host.leave(), ana.leave(), listener.leave()]);
});
