import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { sizes } from '@rostrum/shared/limits.ts';
import type { ChatLine, RandomPhase } from '../../client/call-types.ts';
import type { Attempt } from '../room/attempt.ts';

/** The chat of the call: whether it is looked at, what is new in it, and what is being written. */
export type Chat = {
  readonly open: Signal<boolean>;
  readonly unread: ReadonlySignal<number>;
  readonly draft: Signal<string>;
  /** How many characters the draft is too long by. */
  readonly over: ReadonlySignal<number>;
  toggle(): void;
  /** Sends the draft; a refusal leaves it where it is. */
  send(): Promise<void>;
  /** A message came. Answers whether somebody has to be told of it. */
  take(line: ChatLine): boolean;
  /** Another call: nothing of the last one is left. */
  begin(): void;
};

type ChatOptions = {
  readonly phase: ReadonlySignal<RandomPhase>;
  readonly attempt: Attempt;
  readonly send: (text: string) => Promise<void>;
};

export const createChat = ({ phase, attempt, send }: ChatOptions): Chat => {
  const open = signal(false);
  const unread = signal(0);
  const draft = signal('');
  const isText = () => {
    const present = phase.peek();
    return present.phase === 'call' && present.call.mode === 'text';
  };
  let sending = false;
  return {
    open,
    unread,
    draft,
    over: computed(() => Math.max(0, draft.value.trim().length - sizes.callMessage)),
    toggle: () =>
      batch(() => {
        open.value = !open.peek();
        unread.value = 0;
      }),
    send: async () => {
      const text = draft.peek().trim();
      if (text === '' || text.length > sizes.callMessage || sending) return;
      sending = true;
      const kept = draft.peek();
      // What is written on while it is being sent stays.
      if ((await attempt.well(() => send(text))) && draft.peek() === kept) draft.value = '';
      sending = false;
    },
    take: ({ mine }) => {
      if (mine || open.peek() || isText()) return false;
      unread.value += 1;
      return true;
    },
    begin: () =>
      batch(() => {
        open.value = false;
        unread.value = 0;
        draft.value = '';
      }),
  };
};
