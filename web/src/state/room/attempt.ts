import type { Messages } from '../../i18n/index.ts';
import { describeFailure } from '../failures.ts';
import type { Notices } from '../notices.ts';

/** Tries something that the server may refuse. A refusal is told in words. */
export type Attempt = {
  /** Answers whether it went well. */
  well(run: () => Promise<unknown>): Promise<boolean>;
  /** Says `done` when it went well. */
  tell(run: () => Promise<unknown>, done?: string): Promise<void>;
};

export const createAttempt = (notices: Notices, messages: () => Messages): Attempt => {
  const well = async (run: () => Promise<unknown>): Promise<boolean> => {
    try {
      await run();
      return true;
    } catch (error) {
      notices.show({ text: describeFailure(error, messages()).text, tone: 'bad' });
      return false;
    }
  };
  return {
    well,
    tell: async (run, done) => {
      if ((await well(run)) && done !== undefined) notices.show({ text: done, tone: 'neutral' });
    },
  };
};
