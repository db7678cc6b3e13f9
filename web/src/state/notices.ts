import { type ReadonlySignal, signal } from '@preact/signals';

export type Urgency = 'polite' | 'assertive';

/** A short message at the edge of the page, with what can be done about it. */
export type Notice = {
  readonly id: number;
  readonly text: string;
  readonly tone: 'neutral' | 'bad';
  readonly action?: { readonly label: string; readonly run: () => void };
};

/** A sentence for screen readers. */
export type Utterance = { readonly id: number; readonly text: string };

export type Notices = {
  readonly shown: ReadonlySignal<readonly Notice[]>;
  readonly polite: ReadonlySignal<readonly Utterance[]>;
  readonly assertive: ReadonlySignal<readonly Utterance[]>;
  /** Shows a notice and says it. */
  show(notice: Omit<Notice, 'id'>, urgency?: Urgency): void;
  /** Says a sentence without showing it: what it tells is to be seen elsewhere. */
  say(text: string, urgency?: Urgency): void;
  dismiss(id: number): void;
  /** Takes all notices away: what they were about is over. */
  clear(): void;
  /** Keeps a notice while a pointer or the focus is on it. */
  hold(id: number): void;
  release(id: number): void;
};

/** Undo is offered for 5 s (ui: Words); reading takes as long. */
const shownMs = 6000;
const saidMs = 4000;
/** More at once than these cover the page; the oldest goes first. */
const mostShown = 3;
const mostSaid = 5;

export const createNotices = (): Notices => {
  const shown = signal<readonly Notice[]>([]);
  const said = { polite: signal<readonly Utterance[]>([]), assertive: signal<readonly Utterance[]>([]) };
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  let lastId = 0;

  const dismiss = (id: number) => {
    clearTimeout(timers.get(id));
    timers.delete(id);
    shown.value = shown.value.filter((notice) => notice.id !== id);
  };
  const hold = (id: number) => {
    clearTimeout(timers.get(id));
    timers.delete(id);
  };
  const release = (id: number) => {
    hold(id);
    if (shown.value.some((notice) => notice.id === id)) timers.set(id, setTimeout(dismiss, shownMs, id));
  };
  const say = (text: string, urgency: Urgency = 'polite') => {
    lastId += 1;
    const id = lastId;
    const list = said[urgency];
    list.value = [...list.value.slice(1 - mostSaid), { id, text }];
    setTimeout(() => {
      list.value = list.value.filter((utterance) => utterance.id !== id);
    }, saidMs);
  };
  return {
    shown,
    polite: said.polite,
    assertive: said.assertive,
    show: (notice, urgency = notice.tone === 'bad' ? 'assertive' : 'polite') => {
      lastId += 1;
      const id = lastId;
      const crowd = shown.value.filter((other) => other.text !== notice.text);
      for (const old of crowd.slice(0, Math.max(0, crowd.length + 1 - mostShown))) hold(old.id);
      shown.value = [...crowd.slice(1 - mostShown), { ...notice, id }];
      release(id);
      say(notice.text, urgency);
    },
    say,
    dismiss,
    clear: () => {
      for (const { id } of shown.value) dismiss(id);
    },
    hold,
    release,
  };
};
