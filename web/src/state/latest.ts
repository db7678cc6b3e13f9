import { batch } from '@preact/signals';

/** Asks a question whose answer counts only while no later one was asked. */
export type Latest = {
  run<Answer>(
    ask: () => Promise<Answer>,
    take: (answer: Answer) => void,
    fail: (error: unknown) => void,
  ): Promise<void>;
  /** What is still under way counts no more. */
  forget(): void;
};

export const createLatest = (): Latest => {
  let asked = 0;
  return {
    run: async (ask, take, fail) => {
      asked += 1;
      const mine = asked;
      try {
        const answer = await ask();
        if (mine === asked) batch(() => take(answer));
      } catch (error) {
        if (mine === asked) batch(() => fail(error));
      }
    },
    forget: () => {
      asked += 1;
    },
  };
};
