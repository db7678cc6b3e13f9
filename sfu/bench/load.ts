/**
 * Puts a server under the load of real listeners, speakers and callers, and prints what they met with. See README.md; an operator
 * runs it with `npm run load -- --server URL`.
 */
import { progress, progressDone } from './lib/report.ts';
import { hintsFor } from './load/load-hints.ts';
import { type LoadOptions, parseLoadOptions } from './load/load-options.ts';
import { reportOf } from './load/load-report.ts';
import { exitCodes } from './load/load-result.ts';
import { CannotRun, runLoad } from './load/run-load.ts';

/** How often it says where it is when nobody watches, in milliseconds. */
const logMs = 10_000;

const main = async (): Promise<number> => {
  const parsed = parseLoadOptions(process.argv.slice(2));
  if (parsed.kind === 'run') return load(parsed.options);
  if (parsed.kind === 'help') {
    console.log(parsed.text);
    return exitCodes.good;
  }
  console.error(`${parsed.problems.join('\n')}\nTry --help.`);
  return exitCodes.wrong;
};

const load = async (options: LoadOptions): Promise<number> => {
  const stopping = new AbortController();
  const stop = (): void => {
    // Once: everybody leaves, and what was measured is printed. Twice: at once.
    if (stopping.signal.aborted) process.exit(exitCodes.interrupted);
    progress('stopping…');
    stopping.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const result = await runLoad(options, { progress: patiently(progress), signal: stopping.signal });
    progressDone();
    console.log(options.json ? JSON.stringify(result, undefined, 2) : reportOf(result));
    return result.exitCode;
  } catch (error) {
    progressDone();
    if (!(error instanceof CannotRun)) throw error;
    console.error([error.message, ...hintsFor([error.message])].join('\n'));
    return exitCodes.nothing;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
};

/** Where each line stays, one now and then is enough. */
const patiently = (tell: (text: string) => void): ((text: string) => void) => {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (text) => {
    const now = performance.now();
    if (!process.stderr.isTTY && now - toldAt < logMs) return;
    toldAt = now;
    tell(text);
  };
};

process.exitCode = await main();
