/** Something that must be well for this node to take people. */
export type ReadinessCheck = {
  /** What is said when it is not, such as `records cannot be written`. */
  readonly reason: string;
  readonly isWell: () => boolean | Promise<boolean>;
};

export type ReadinessOptions = {
  /** Why this node takes nobody now by its own will (`Lifecycle.reason`). */
  readonly reason: () => string | undefined;
  readonly checks: readonly ReadinessCheck[];
  /** How long a check may take, in milliseconds. */
  readonly limitMs: number;
};

/**
 * Why a node cannot take people now, in words for the operator; empty when it can (OP-1). Everything is asked at once. What does
 * not answer in time, or fails, is not well: whoever asks is to learn that, and not to wait for it.
 */
export const createReadiness =
  ({ reason, checks, limitMs }: ReadinessOptions): (() => Promise<string[]>) =>
  async () => {
    const failures = await Promise.all(
      checks.map(async (check) => ((await isWell(check, limitMs)) ? undefined : check.reason)),
    );
    return [reason(), ...failures].filter((why) => why !== undefined);
  };

const isWell = async (check: ReadinessCheck, limitMs: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  try {
    return await Promise.race([check.isWell(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
};
