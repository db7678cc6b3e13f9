import { type ReadonlySignal, signal } from '@preact/signals';
import type { RandomService } from '@rostrum/shared/protocol/random.ts';
import type { Api } from '../client/api.ts';

/** RQ-7: the counts change all the time; whoever only looks at them needs no more than this. */
const refreshMs = 10_000;

/** Whether random calls are on and how many people are there, for whoever has no connection yet. */
export type TalkService = {
  /** Undefined until it is known. */
  readonly service: ReadonlySignal<RandomService | undefined>;
  /** @throws RostrumErrorShape */
  load(): Promise<RandomService>;
  /** Keeps it fresh while the page is looked at, until the returned function is called. */
  follow(page: Pick<Document, 'visibilityState'>): () => void;
};

export const createTalkService = (api: Pick<Api, 'randomService'>): TalkService => {
  const service = signal<RandomService | undefined>(undefined);
  const load = async () => {
    const answer = await api.randomService();
    service.value = answer;
    return answer;
  };
  /** What cannot be asked now is asked again soon; the last answer stands meanwhile. */
  const refresh = () => void load().catch(() => undefined);
  return {
    service,
    load,
    follow: (page) => {
      refresh();
      const timer = setInterval(() => {
        if (page.visibilityState === 'visible') refresh();
      }, refreshMs);
      return () => clearInterval(timer);
    },
  };
};
