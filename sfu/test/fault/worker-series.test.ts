import { afterEach, describe, expect, it } from 'vitest';
import { pause, until } from '../media/harness.ts';
import { ClusterPerson, everybodyLeaves, openRoom } from '../support/cluster-person.ts';
import { hearEachOther, WorkerServer } from '../support/worker-server.ts';

describe('media workers that die again and again', { timeout: 120_000 }, () => {
  let server: WorkerServer;
  afterEach(async () => {
    everybodyLeaves();
    await server.close();
  });

  /** Kills a worker as soon as the server knows it, so many times in a row. Answers with the pids. */
  const killAgainAndAgain = async (index: number, times: number): Promise<number[]> => {
    const dead: number[] = [];
    while (dead.length < times) {
      const pid = await server.pid(index);
      if (!dead.includes(pid) && (await server.knows(index))) {
        process.kill(pid, 'SIGKILL');
        dead.push(pid);
      }
      await pause(10);
    }
    return dead;
  };

  const room = async (listeners: number) => {
    const host = await ClusterPerson.arrive(server.cluster, 'Hanna');
    const roomId = await openRoom(host);
    await host.speak(440);
    const audience: ClusterPerson[] = [];
    for (let index = 0; index < listeners; index += 1) {
      const listener = await ClusterPerson.arrive(server.cluster, `Listener ${index}`);
      await listener.enter(roomId);
      audience.push(listener);
    }
    const hears = () => hearEachOther(audience, [[host, 440]]);
    await hears();
    return { host, audience, hears };
  };

  it('MD-8 RE-5 OP-1 takes the node out of readiness, backs off, and people are on air again when it is over', async () => {
    server = await WorkerServer.start(2);
    const { host, audience, hears } = await room(3);
    const before = audience.map(({ role }) => role);
    const dead = await killAgainAndAgain(0, 3);
    await until('the next one runs', async () => !dead.includes(await server.pid(0)) && (await server.knows(0)));
    const { ready, text } = await server.node.readiness();
    expect([ready, text]).toEqual([false, expect.stringContaining('media worker')]);
    // The other worker serves on meanwhile: nobody has to wait for the series to end.
    await hears();
    expect(audience.map(({ role }) => role)).toEqual(before);
    expect(host.outBecause).toBeUndefined();
    await until('it is ready again', async () => (await server.node.readiness()).ready, 40_000);
    expect(await server.node.metric('rostrum_worker_deaths_total')).toBe(3);
    await hears();
  });

  it('MD-8 RE-5 with every worker dying nothing spins, and it is over when they live', async () => {
    server = await WorkerServer.start(2);
    const { hears } = await room(3);
    const began = performance.now();
    await Promise.all([killAgainAndAgain(0, 5), killAgainAndAgain(1, 5)]);
    // Waits of 0, 100, 200 and 400 ms are between five deaths, however fast they are killed.
    expect(performance.now() - began).toBeGreaterThan(650);
    await hears();
    await until('it is ready again', async () => (await server.node.readiness()).ready, 40_000);
    expect(await server.node.metric('rostrum_worker_deaths_total')).toBe(10);
    // Each worker that runs is there once.
    expect(new Set(await server.pids()).size).toBe(2);
    await hears();
  });
});
