import { afterEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { until } from '../media/harness.ts';
import { Caller, pair } from '../support/caller.ts';
import { MediaPerson } from '../support/media-person.ts';
import { cleanUp, startServer, type TestServer } from '../support/server.ts';

const present: MediaPerson[] = [];

afterEach(async () => {
  for (const person of present.splice(0)) person.close();
  await cleanUp();
});

const allowed = { CALLS_SFU_FALLBACK: 'true' };

const carried = async (server: TestServer) => {
  const { ann, ben, sessionId } = await pair(server, { connected: false });
  expect((await ann.match()).sfuAllowed).toBe(true);
  await ann.socket.do('random:use_sfu', { sessionId });
  await ben.socket.next('random:sfu');
  const media = async (caller: Caller) => {
    const entered = await MediaPerson.inCall(caller.person, caller.socket, sessionId);
    present.push(entered);
    return entered;
  };
  return { ann, ben, sessionId, annMedia: await media(ann), benMedia: await media(ben), media };
};

const hears = (listener: MediaPerson, speaker: Caller) => listener.peer.hears().has(speaker.userId);

describe('a call that the SFU carries', () => {
  it('RD-4 both hear each other through the SFU, and nothing is left of it after the end', async () => {
    const server = await startServer({ env: allowed });
    const { ann, ben, sessionId, annMedia, benMedia } = await carried(server);
    await annMedia.speak(440);
    await benMedia.speak(880);
    await until('Ann hears Ben', () => hears(annMedia, ben));
    await until('Ben hears Ann', () => hears(benMedia, ann));
    for (const caller of [ann, ben]) await caller.socket.do('random:connected', { sessionId, route: 'sfu' });
    await ann.socket.next('random:connected');
    expect(await ben.state()).toMatchObject({ state: 'call', phase: 'connected', throughSfu: true });
    await ann.socket.do('random:end_call', { sessionId });
    await until('no media is left', () =>
      server.app.media.load().every(({ rooms, transports, producers }) => rooms + transports + producers === 0),
    );
    expect(await ben.socket.codeOf('media:listen', { roomId: sessionId })).toBe('not_found');
  });

  it('RD-4 MD-9 is for the two of it alone, with one microphone each, and only where it was chosen', async () => {
    const server = await startServer({ env: allowed });
    const { sessionId, annMedia } = await carried(server);
    const cat = await Caller.arrive(server, 'Cat');
    for (const name of ['media:listen', 'media:publish'] as const)
      expect(await cat.socket.codeOf(name, { roomId: sessionId })).toBe('stale');
    await annMedia.speak(440);
    const { transport } = await annMedia.socket.do('media:publish', { roomId: sessionId });
    expect(transport.transportId).toEqual(expect.any(String));
    const other = await pair(server, { connected: false });
    expect(await other.ann.socket.codeOf('media:listen', { roomId: other.sessionId })).toBe('forbidden');
    expect(await other.ann.socket.codeOf('media:listen', { roomId: newId() })).toBe('not_found');
  });

  it('ID-5 a device that lost the call to another one hears nothing more', async () => {
    const server = await startServer({ env: allowed });
    const { ann, ben, annMedia, benMedia, media } = await carried(server);
    await benMedia.speak(880);
    await until('Ann hears Ben', () => hears(annMedia, ben));
    const phone = await ann.device();
    await phone.search();
    await ann.socket.next('random:joined_elsewhere');
    await until('the first device is silent', () => !hears(annMedia, ben));
    const phoneMedia = await media(phone);
    await until('the phone hears Ben', () => hears(phoneMedia, ben));
  });

  it('MD-8 a worker that dies takes the media of the call, and both get it back', async () => {
    const server = await startServer({ env: allowed });
    const { ann, ben, sessionId, annMedia, benMedia } = await carried(server);
    await annMedia.speak(440);
    await benMedia.speak(880);
    for (const caller of [ann, ben]) await caller.socket.do('random:connected', { sessionId, route: 'sfu' });
    await until('Ann hears Ben', () => hears(annMedia, ben));
    const [worker] = server.app.media.load();
    if (worker) process.kill(worker.pid, 'SIGKILL');
    await Promise.all([ann, ben].map(({ socket }) => socket.next('media:lost')));
    await ann.socket.next('random:partner_disconnected');
    await until('a new worker', () => server.app.media.ready());
    await annMedia.listen();
    await benMedia.listen();
    await benMedia.speak(660);
    await until('Ann hears Ben again', () => (annMedia.peer.hears().get(ben.userId) ?? 0) > 500);
  });

  it('RD-4 is off unless the operator allows it', async () => {
    const server = await startServer();
    const { ann, sessionId } = await pair(server, { connected: false });
    expect((await ann.match()).sfuAllowed).toBe(false);
    expect(await ann.socket.codeOf('random:use_sfu', { sessionId })).toBe('feature_unavailable');
  });
});
