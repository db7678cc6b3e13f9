import type { Limits } from '@rostrum/shared/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

/** Parts of the window; one goes out of it at a time. */
const parts = 15;

export type SuccessMonitor = {
  /** An attempt to connect came to something, or did not. */
  noted(success: boolean): void;
  /** The share of attempts within the window that connected, from 0 to 1; undefined for fewer than a sample. */
  share(): number | undefined;
  /** Whether it is below the mark (RQ-8). */
  alert(): boolean;
};

export type SuccessMonitorDependencies = {
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'successWindowMs' | 'successPercent' | 'successSample'>;
  readonly logger: Logger;
};

/** RQ-8: raises an alert, once for each time, when too few calls connect. */
export const createSuccessMonitor = ({ clock, limits, logger }: SuccessMonitorDependencies): SuccessMonitor => {
  const partMs = limits.successWindowMs / parts;
  const counted = new Map<number, { connected: number; failed: number }>();
  let alerted = false;

  const current = (): number => Math.floor(clock.now() / partMs);
  const share = (): number | undefined => {
    const oldest = current() - parts + 1;
    for (const part of counted.keys()) if (part < oldest) counted.delete(part);
    const connected = counted.values().reduce((sum, part) => sum + part.connected, 0);
    const failed = counted.values().reduce((sum, part) => sum + part.failed, 0);
    return connected + failed < limits.successSample ? undefined : connected / (connected + failed);
  };
  const alert = (): boolean => {
    const now = share();
    return now !== undefined && now * 100 < limits.successPercent;
  };

  return {
    share,
    alert,
    noted: (success) => {
      const part = counted.get(current()) ?? { connected: 0, failed: 0 };
      if (success) part.connected += 1;
      else part.failed += 1;
      counted.set(current(), part);
      const raised = alert();
      if (raised && !alerted)
        logger.warn(
          { alert: 'random-success', share: share() },
          'too few random calls connect: see the routes and TURN',
        );
      if (!raised && alerted) logger.info({ alert: 'random-success', share: share() }, 'random calls connect again');
      alerted = raised;
    },
  };
};
