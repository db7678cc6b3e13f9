import type { Logger } from './logger.ts';

/** An app that runs. */
export type Running = {
  /** Sees its people off to other nodes, where there are any (OP-2). Never rejects. */
  drain(): Promise<unknown>;
  close(): Promise<void>;
};

export type ServiceOptions = {
  /** Starts the app. `fenced` is called when the other nodes gave this one up: then it is to start anew. */
  readonly start: (fenced: () => void) => Promise<Running>;
  readonly exit: (code: number) => void;
  /** Longest that a stop may take before the process ends all the same, in milliseconds. */
  readonly stopLimitMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'fatal'>;
};

export type Service = {
  /** Starts, and from then on starts anew whenever the app was fenced. Rejects only where the first start fails. */
  run(): Promise<void>;
  /** A stop signal came: drains, closes, and ends the process. A second one ends it at once. */
  stop(signal: string): void;
};

/**
 * A second signal ends the process at once, but not within this time, in milliseconds: under `npm start` one Ctrl-C
 * arrives twice, from the terminal and from npm.
 */
const secondSignalMs = 1000;
/** Attempts to start anew (RE-5), and the wait between them, in milliseconds: it doubles up to the longest. */
const startsMax = 10;
const firstWaitMs = 500;
const longestWaitMs = 10_000;
/** A node that lived for so long, in milliseconds, was well: the next start waits for nothing again. */
const wellMs = 60_000;

/** Keeps one app running in this process, from the first start to the stop signal. Pure but for what it is given. */
export const createService = ({ start, exit, stopLimitMs, now, sleep, logger }: ServiceOptions): Service => {
  let app: Running | undefined;
  /** Settles when the app that was fenced is closed, and another stands or is not wanted any more. */
  let restarting: Promise<void> | undefined;
  /** An app was fenced that nobody has begun to close yet. */
  let fenced = false;
  let stoppingSince: number | undefined;
  let startedAt = 0;
  let failures = 0;
  const isStopping = (): boolean => stoppingSince !== undefined;

  const begin = async (): Promise<void> => {
    let gone = false;
    let stands = false;
    const begun = await start(() => {
      if (gone) return;
      gone = true;
      if (stands) startAnew();
    });
    app = begun;
    startedAt = now();
    stands = true;
    if (gone) startAnew();
  };

  const startAnew = (): void => {
    fenced = true;
    if (isStopping() || restarting !== undefined) return;
    restarting = untilServing().finally(() => {
      restarting = undefined;
    });
  };

  /** One that started anew may have been fenced while it did. */
  const untilServing = async (): Promise<void> => {
    for (; fenced && !isStopping(); await again()) fenced = false;
  };

  const again = async (): Promise<void> => {
    logger.warn({}, 'the other nodes gave this one up while it stood still: it starts anew');
    failures = now() - startedAt < wellMs ? failures + 1 : 0;
    await app?.close().catch((error: unknown) => logger.warn({ err: error }, 'it could not be closed in order'));
    app = undefined;
    for (let count = 0; count < startsMax; count += 1) {
      if (await attempt()) return;
    }
    exit(1);
  };

  /** One attempt to start anew. Answers whether another is not needed, or not wanted. */
  const attempt = async (): Promise<boolean> => {
    if (failures > 0) await sleep(Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1)));
    if (isStopping()) return true;
    try {
      await begin();
      return true;
    } catch (error) {
      logger.fatal({ err: error, failures }, 'Rostrum could not start anew');
      failures += 1;
      return false;
    }
  };

  const finish = async (): Promise<void> => {
    await restarting;
    await app?.drain();
    await app?.close();
  };

  return {
    run: begin,
    stop: (signal) => {
      if (stoppingSince !== undefined) {
        if (now() - stoppingSince > secondSignalMs) exit(1);
        return;
      }
      stoppingSince = now();
      logger.info({ signal }, 'stopping');
      void sleep(stopLimitMs).then(() => exit(1));
      finish().then(
        () => exit(0),
        () => exit(1),
      );
    },
  };
};
