import { sizes } from '@rostrum/shared/limits.ts';
import type { ReportType } from '@rostrum/shared/protocol/call.ts';
import type { Api } from '../client/api.ts';
import type { Messages, SafetyMessages } from '../i18n/index.ts';
import { describeFailure, type Failure } from './failures.ts';
import type { Notices } from './notices.ts';
import { createAttempt } from './room/attempt.ts';
import { paragraphFault } from './words.ts';

type Person = { readonly userId: string; readonly displayName: string };

/** In the order in which they are offered; that in which they are looked at (SF-2) is the server's. */
const typeNames: Record<ReportType, true> = {
  harassment: true,
  hate: true,
  sexual: true,
  threat: true,
  minor: true,
  spam: true,
  other: true,
};
export const reportTypes = Object.keys(typeNames) as ReportType[];

/** What one does about a person who is no good company, in a room or in a call. Nothing here throws. */
export type Safety = {
  /**
   * SF-4: blocks somebody, which can be taken back at once (`undone`). `run` is another way to it, such as the one that ends
   * a call. Answers whether it went well.
   */
  block(person: Person, run?: () => Promise<void>, undone?: () => void): Promise<boolean>;
  /** SF-1: sends a report; answers the failure, for the form to place. */
  report(send: () => Promise<void>, done: string): Promise<Failure | undefined>;
};

type SafetyOptions = {
  readonly api: Pick<Api, 'block' | 'unblock'>;
  readonly notices: Notices;
  readonly messages: () => Messages;
};

export const createSafety = ({ api, notices, messages }: SafetyOptions): Safety => {
  const attempt = createAttempt(notices, messages);
  const unblock = async ({ userId, displayName }: Person, undone: () => void) => {
    if (!(await attempt.well(() => api.unblock(userId)))) return;
    notices.show({ text: messages().acts.done.unblocked(displayName), tone: 'neutral' });
    undone();
  };
  return {
    block: async (person, run = () => api.block(person.userId), undone = () => undefined) => {
      if (!(await attempt.well(run))) return false;
      notices.show({
        text: messages().acts.done.blocked(person.displayName),
        tone: 'neutral',
        action: { label: messages().undo, run: () => void unblock(person, undone) },
      });
      return true;
    },
    report: async (send, done) => {
      try {
        await send();
        notices.show({ text: done, tone: 'neutral' });
        return undefined;
      } catch (error) {
        return describeFailure(error, messages());
      }
    },
  };
};

/** What is wrong with the words of a report, if anything. */
export const reportTextError = (text: string, words: SafetyMessages['report']): string | undefined => {
  const fault = paragraphFault(text, sizes.reportText);
  if (fault === undefined) return undefined;
  return fault === 'too-long' ? words.tooLong(sizes.reportText) : words.unprintable;
};
