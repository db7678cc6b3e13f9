import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { sizes } from '@rostrum/shared/limits.ts';
import type { Attempt } from '../room/attempt.ts';
import { paragraphFault, type TextFault } from '../words.ts';

/** RD-9: what one says about a call, while it goes on or when it is over. */
export type Verdict = {
  /** 1 to 5; 0 before anything was said. */
  readonly stars: ReadonlySignal<number>;
  readonly comment: ReadonlySignal<string>;
  readonly fault: ReadonlySignal<TextFault | undefined>;
  /** What the server has of it. */
  readonly kept: ReadonlySignal<'nothing' | 'stars' | 'comment'>;
  readonly reported: ReadonlySignal<boolean>;
  readonly blocked: ReadonlySignal<boolean>;
  rate(stars: number): void;
  write(comment: string): void;
  /** Sends what was said and not sent yet. */
  send(): Promise<void>;
  setReported(): void;
  setBlocked(blocked: boolean): void;
  /** Another call. What was said about the last one is sent first. */
  begin(sessionId: string): void;
};

type VerdictOptions = {
  readonly attempt: Attempt;
  readonly rate: (sessionId: string, stars: number, comment?: string) => Promise<void>;
};

/** Whoever goes through the stars with the arrow keys has chosen when they stop. */
const choosingMs = 700;

export const createVerdict = ({ attempt, rate }: VerdictOptions): Verdict => {
  const stars = signal(0);
  const comment = signal('');
  const fault = signal<TextFault | undefined>(undefined);
  const kept = signal<'nothing' | 'stars' | 'comment'>('nothing');
  const reported = signal(false);
  const blocked = signal(false);
  let about: string | undefined;
  /** The stars and the comment that were sent last. */
  let sent = '';
  let timer: ReturnType<typeof setTimeout> | undefined;

  const send = async () => {
    clearTimeout(timer);
    const [sessionId, count, text] = [about, stars.peek(), comment.peek().trim()];
    fault.value = paragraphFault(text, sizes.comment);
    const said = `${count} ${text}`;
    if (sessionId === undefined || count === 0 || said === sent || fault.peek() !== undefined) return;
    sent = said;
    const well = await attempt.well(() => (text === '' ? rate(sessionId, count) : rate(sessionId, count, text)));
    if (about !== sessionId) return;
    if (well) kept.value = text === '' ? 'stars' : 'comment';
    else sent = '';
  };
  return {
    stars,
    comment,
    fault,
    kept,
    reported,
    blocked,
    rate: (count) => {
      stars.value = count;
      clearTimeout(timer);
      timer = setTimeout(() => void send(), choosingMs);
    },
    write: (text) =>
      batch(() => {
        comment.value = text;
        fault.value = undefined;
        if (kept.peek() === 'comment') kept.value = 'stars';
      }),
    send,
    setReported: () => {
      reported.value = true;
    },
    setBlocked: (is) => {
      blocked.value = is;
    },
    begin: (sessionId) => {
      if (sessionId === about) return;
      void send();
      about = sessionId;
      sent = '';
      batch(() => {
        stars.value = 0;
        comment.value = '';
        fault.value = undefined;
        kept.value = 'nothing';
        reported.value = false;
        blocked.value = false;
      });
    },
  };
};
