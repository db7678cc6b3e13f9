import { describe, expect, test } from 'vitest';
import { homeNode, second, start } from '../support.ts';
import { type CallScenario, callerOf, scenario, talking } from './support.ts';

const open = (call: CallScenario, name: string, producerId = `${name}'s microphone`, node = homeNode): CallScenario =>
  call.do({ type: 'open-microphone', by: callerOf(name), producerId, node });
const close = (call: CallScenario, name: string, producerId = `${name}'s microphone`): CallScenario =>
  call.do({ type: 'close-microphone', userId: callerOf(name).userId, producerId });

/** A call that the SFU carries. */
const carried = (): CallScenario => {
  const call = scenario({ sfuAllowed: true }).useSfu('ann').bothConnected('sfu');
  return open(open(call, 'ann'), 'ben').quiet();
};

describe('Media of a call that the SFU carries', () => {
  test('RD-4 MD-9 each side has one microphone there, on the device that holds the side', () => {
    const call = carried();
    expect([call.side('ann').producerId, call.side('ben').producerId]).toEqual([
      "ann's microphone",
      "ben's microphone",
    ]);
    const { length } = call.events;
    expect(open(call, 'ann').events).toHaveLength(length);
    expect(call.refusal((c) => open(c, 'ann', 'another'))).toBe('already');
    expect(call.refusal((c) => open(c, 'cem'))).toBe('stale');
    expect(call.refusal((c) => open(c.comeBack('ann'), 'ann', 'another'))).toBe('already');
    expect(call.comeBack('ann', "ann's tablet").side('ann').producerId).toBeNull();
    expect(call.refusal((c) => open(c, 'ann'))).toBe('stale');
  });

  test('RD-2 RD-4 there is none in a call that it does not carry', () => {
    expect(talking({ sfuAllowed: true }).refusal((c) => open(c, 'ann'))).toBe('forbidden');
  });

  test('RD-4 the microphone that media closed is open no more; one of the past changes nothing', () => {
    const call = carried();
    expect(close(call, 'ann', 'an earlier one').side('ann').producerId).toBe("ann's microphone");
    expect(close(call, 'ann').side('ann').producerId).toBeNull();
    expect(close(call, 'cem').state.phase).toBe('connected');
    expect(call.heard('ben')).toEqual([]);
    expect(open(call, 'ann', 'a new one').side('ann').producerId).toBe('a new one');
  });

  test('RD-5 MD-8 when the worker dies, both are told once and look for a way within the window', () => {
    const call = carried().do({ type: 'lose-sfu-media', node: homeNode });
    expect(call.state).toMatchObject({ phase: 'reconnecting', resumeUntil: start + 10 * second, throughSfu: true });
    expect(call.side('ann')).toMatchObject({ producerId: null, linked: false });
    const told = [['random:partner_disconnected', { resumeUntil: start + 10 * second }]];
    expect([call.heard('ann'), call.heard('ben')]).toEqual([told, told]);
    const { length } = call.events;
    expect(call.do({ type: 'lose-sfu-media', node: homeNode }).events).toHaveLength(length);
    expect(call.bothConnected('sfu').state).toMatchObject({ phase: 'connected', connectedAt: start });
  });

  test('RD-4 RE-2 at another node the microphone takes the place of the one before, and not the other way round', () => {
    const call = carried().comeBack('ann', undefined, 'node b');
    expect(call.side('ann')).toMatchObject({ producerId: "ann's microphone", producerNode: homeNode });
    expect(call.refusal((c) => open(c, 'ann', 'late'))).toBe('conflict');
    open(call, 'ann', 'another', 'node b');
    expect(call.side('ann')).toMatchObject({ producerId: 'another', producerNode: 'node b' });
    expect(call.refusal((c) => open(c, 'ann', 'one more', 'node b'))).toBe('already');
  });

  test('RD-5 RE-3 a node that loses its media takes that of the side with it that ends there', () => {
    const call = carried().comeBack('ann', undefined, 'node b');
    open(call, 'ann', 'another', 'node b').do({ type: 'lose-sfu-media', node: homeNode });
    expect(call.side('ann')).toMatchObject({ producerId: 'another', linked: true });
    expect(call.side('ben')).toMatchObject({ producerId: null, linked: false });
    expect(call.state.phase).toBe('reconnecting');
  });

  test('RD-2 what the SFU loses does not concern a call that it does not carry', () => {
    expect(talking().do({ type: 'lose-sfu-media', node: homeNode }).state.phase).toBe('connected');
  });
});
