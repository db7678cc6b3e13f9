import { signal } from '@preact/signals';
import { expect, test, vi } from 'vitest';
import type { RandomPhase } from '../../client/call-types.ts';
import { createChat } from './chat.ts';
import { inCall } from './examples.ts';

const setUp = (phase: RandomPhase = inCall()) => {
  let well = true;
  const send = vi.fn(async () => undefined);
  const attempt = {
    well: async (run: () => Promise<unknown>) => {
      await run();
      return well;
    },
    tell: async () => undefined,
  };
  const chat = createChat({ phase: signal(phase), attempt, send });
  const fail = () => {
    well = false;
  };
  return { chat, send, fail };
};

const line = (mine: boolean) => ({ messageId: 'm', mine, text: 'Hi', at: 0 });

test('RD-10 what comes while the chat is closed is counted, until it is opened', () => {
  const { chat } = setUp();
  expect(chat.take(line(false))).toBe(true);
  chat.take(line(false));
  expect(chat.take(line(true))).toBe(false);
  expect(chat.unread.value).toBe(2);
  chat.toggle();
  expect([chat.open.value, chat.unread.value]).toEqual([true, 0]);
  expect(chat.take(line(false))).toBe(false);
});

test('in a text call the chat is always looked at', () => {
  const { chat } = setUp(inCall({ mode: 'text' }));
  expect(chat.take(line(false))).toBe(false);
  expect(chat.unread.value).toBe(0);
});

test('RD-10 a message is sent without the blanks around it, and the field is empty then', async () => {
  const { chat, send } = setUp();
  chat.draft.value = '  Hello \n';
  await chat.send();
  expect(send).toHaveBeenCalledExactlyOnceWith('Hello');
  expect(chat.draft.value).toBe('');
});

test('RD-10 nothing is sent of blanks, nor of more than 1,000 characters', async () => {
  const { chat, send } = setUp();
  chat.draft.value = ' \n ';
  await chat.send();
  chat.draft.value = 'x'.repeat(1003);
  expect(chat.over.value).toBe(3);
  await chat.send();
  expect(send).not.toHaveBeenCalled();
});

test('WB-4 a message that was refused stays where it was written', async () => {
  const { chat, fail } = setUp();
  fail();
  chat.draft.value = 'Hello';
  await chat.send();
  expect(chat.draft.value).toBe('Hello');
});

test('another call begins with an empty chat', () => {
  const { chat } = setUp();
  chat.take(line(false));
  chat.toggle();
  chat.draft.value = 'half a word';
  chat.begin();
  expect([chat.open.value, chat.unread.value, chat.draft.value]).toEqual([false, 0, '']);
});
