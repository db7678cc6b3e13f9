/** Asks again and again until it is so, or fails after so many milliseconds. */
export const until = async (what: string, ask: () => unknown, withinMs = 15_000): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
