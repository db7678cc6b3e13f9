import { availableParallelism, cpus, loadavg } from 'node:os';
import { version } from 'mediasoup';
import type { Estimate } from './statistics.ts';

/** Rows under a header, in columns; the first is aligned to the left, the others to the right. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
};

/** A value with its interval: `7.91 (7.80 – 8.05)`. */
export const withInterval = ({ value, low, high }: Estimate, digits: number): string =>
  `${value.toFixed(digits)} (${low.toFixed(digits)} – ${high.toFixed(digits)})`;

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** Where it ran, since a figure means nothing without. */
export type Machine = {
  readonly cores: number;
  readonly processor: string;
  readonly node: string;
  readonly mediasoup: string;
  /** Processes that ran or wanted to, averaged over the last minute. */
  readonly loadAtStart: number;
};

export const machine = (): Machine => ({
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? 'unknown',
  node: process.version,
  mediasoup: version,
  loadAtStart: Number(loadavg()[0]?.toFixed(2)),
});

export const describe = ({ cores, processor, node, mediasoup, loadAtStart }: Machine): string =>
  `${cores} cores (${processor}), Node ${node}, mediasoup ${mediasoup}, load average ${loadAtStart} before`;

/** Where it is, on the standard error so that the standard output holds only the result. */
export const progress = (text: string): void => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
};

export const progressDone = (): void => {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
};
