import { pino } from 'pino';
import type { Logger } from '../../src/runtime/logger.ts';

/** A logger that keeps what it was told, each with its level. */
export const keepingLogger = (): { logger: Logger; logged: string[] } => {
  const logged: string[] = [];
  const formatters = { level: (label: string) => ({ level: label }) };
  const write = (line: string): void => {
    const { level, msg }: { level?: unknown; msg?: unknown } = JSON.parse(line);
    logged.push(`${String(level)}: ${String(msg)}`);
  };
  return { logger: pino({ formatters }, { write }), logged };
};
