import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { RandomService } from '@rostrum/shared/protocol/random.ts';
import type { ChatLine, PreviewState, RandomCalls, RandomPhase } from '../../client/call-types.ts';
import type { Connection } from '../../client/types.ts';

/** The random calls of this page, and what they say, as signals. */
export type TalkLink = {
  /** `opening` until it is known whether one waits or talks already, such as after a reload. */
  readonly status: ReadonlySignal<'closed' | 'opening' | 'open'>;
  readonly phase: ReadonlySignal<RandomPhase>;
  readonly service: ReadonlySignal<RandomService | undefined>;
  readonly preview: ReadonlySignal<PreviewState>;
  readonly calls: ReadonlySignal<RandomCalls | undefined>;
  /** Opens them, or answers those that are open. @throws RostrumErrorShape */
  open(): Promise<RandomCalls>;
  /** Lets go of them: the window of a call and the place in the queue run on. */
  close(): void;
};

type LinkOptions = {
  /** The connection of this page; a new one when the last was closed. */
  readonly connect: () => Promise<Connection>;
  readonly openCalls: (connection: Connection) => Promise<RandomCalls>;
  /** `before` is the phase that this one follows. */
  readonly onPhase: (phase: RandomPhase, before: RandomPhase) => void;
  readonly onMessage: (line: ChatLine) => void;
};

/** A server that does not answer for this long does not keep the page from being shown. */
const knownMs = 2000;

const idle: RandomPhase = { phase: 'idle' };

const createLinkSignals = () => ({
  status: signal<'closed' | 'opening' | 'open'>('closed'),
  phase: signal<RandomPhase>(idle),
  service: signal<RandomService | undefined>(undefined),
  preview: signal<PreviewState>({ state: 'off' }),
  calls: signal<RandomCalls | undefined>(undefined),
});

export const createTalkLink = ({ connect, openCalls, onPhase, onMessage }: LinkOptions): TalkLink => {
  const { status, phase, service, preview, calls } = createLinkSignals();
  let connection: Connection | undefined;
  let opening: Promise<RandomCalls> | undefined;
  let stops: readonly (() => void)[] = [];
  /** What an earlier opening still brings is let go of. */
  let round = 0;

  const take = (next: RandomPhase) => {
    const before = phase.peek();
    phase.value = next;
    onPhase(next, before);
  };
  const close = () => {
    round += 1;
    opening = undefined;
    for (const stop of stops) stop();
    stops = [];
    calls.peek()?.dispose();
    batch(() => {
      status.value = 'closed';
      calls.value = undefined;
      phase.value = idle;
      preview.value = { state: 'off' };
    });
  };
  const follow = (opened: RandomCalls) => {
    stops = [
      opened.on('phase', take),
      opened.on('message', onMessage),
      opened.on('service', (told) => set(service, told)),
      opened.on('preview', (told) => set(preview, told)),
    ];
    batch(() => {
      calls.value = opened;
      service.value = opened.service ?? service.peek();
      preview.value = opened.preview;
    });
    if (opened.phase.phase !== 'idle') take(opened.phase);
  };
  const begin = async (mine: number, present: Connection): Promise<RandomCalls> => {
    const opened = await openCalls(present);
    if (mine !== round) {
      opened.dispose();
      return opened;
    }
    follow(opened);
    await whenKnown(opened);
    if (mine === round) status.value = 'open';
    return opened;
  };
  const open = async (): Promise<RandomCalls> => {
    const present = await connect();
    if (opening !== undefined && present === connection) return opening;
    close();
    connection = present;
    status.value = 'opening';
    const attempt = begin(round, present);
    opening = attempt;
    attempt.catch(() => {
      if (opening === attempt) close();
    });
    return attempt;
  };
  return { status, phase, service, preview, calls, open, close };
};

const set = <Value>(held: Signal<Value>, value: Value): void => {
  held.value = value;
};

/** Until the server has said how things stand, or has not answered for a while. */
const whenKnown = (calls: RandomCalls): Promise<void> => {
  if (calls.service !== undefined || calls.phase.phase !== 'idle') return Promise.resolve();
  return new Promise((resolve) => {
    const known = () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      resolve();
    };
    const stops = [calls.on('service', known), calls.on('phase', known)];
    const timer = setTimeout(known, knownMs);
  });
};
