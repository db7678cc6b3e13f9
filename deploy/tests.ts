/**
 * All checks and tests, one after the other, and at the end one line that says how many passed and failed.
 *
 *   deploy/test                        everything
 *   deploy/test check                  the static checks
 *   deploy/test sfu -t 'a name'        one suite (shared, sfu, web, e2e); what follows goes to its runner
 *
 * It believes no runner blindly: one that crashes, leaves no report, or runs no test although there are test files has
 * failed; and a test that was skipped has failed too.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

type Counts = { passed: number; failed: number; note?: string; failures?: readonly string[] };
type Stage = { group: string; name: string; run: (runnerArguments: string[]) => Counts };

const minutes = 60_000;
const reports = mkdtempSync(path.join(tmpdir(), 'rostrum-tests-'));
process.on('exit', () => rmSync(reports, { recursive: true, force: true }));

const stages: Stage[] = [
  check('lint and format', 'biome', 'check', '--error-on-warnings'),
  ...['shared', 'shared/tsconfig.test.json', 'sfu', 'web', 'web/tsconfig.test.json', 'deploy'].map((project) =>
    check(`types: ${project}`, 'tsc', '-p', project),
  ),
  check('import fences', 'node', 'deploy/fences.ts'),
  check('nothing unused', 'knip'),
  vitest('shared'),
  vitest('sfu'),
  vitest('web'),
  playwright('e2e'),
];

/** A command that is right when it exits with 0; it counts as one test. */
function check(name: string, command: string, ...args: string[]): Stage {
  const run = (): Counts => (execute(command, args) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
  return { group: 'check', name, run };
}

function vitest(folder: string): Stage {
  return suite(folder, `${folder}/{src,test}/**/*.test.{ts,tsx}`, (report, args) => {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const exitCode = execute('node_modules/.bin/vitest', ['run', ...reporters, ...args], { cwd: folder });
    type Test = { status: string; fullName: string; failureMessages?: string[] };
    type Report = { testResults: { name: string; status: string; message?: string; assertionResults: Test[] }[] };
    const files = readReport<Report>(report)?.testResults ?? [];
    const tests = files.flatMap((file) => file.assertionResults);
    const statuses = tests.map((test) => test.status);
    const passed = statuses.filter((status) => status === 'passed').length;
    const failed = statuses.filter((status) => status === 'failed').length;
    // A file that fails before its first test, or after its last, has failed without a failed test.
    const brokenFiles = files.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    );
    const failures = [
      ...tests
        .filter((test) => test.status === 'failed')
        .map((test) => `${test.fullName}: ${firstLine(test.failureMessages?.[0])}`),
      ...brokenFiles.map((file) => `${path.relative(folder, file.name)}: ${firstLine(file.message)}`),
    ];
    const skipped = statuses.length - passed - failed;
    return { exitCode, passed, failed: failed + brokenFiles.length, skipped, failures };
  });
}

function playwright(name: string): Stage {
  return suite(name, 'web/e2e/**/*.{spec,test}.ts', (report, args) => {
    const env = { ...process.env, PLAYWRIGHT_JSON_OUTPUT_FILE: report };
    const exitCode = execute('node_modules/.bin/playwright', ['test', '--reporter=list,json', ...args], {
      cwd: 'web',
      env,
    });
    type Spec = { title: string; ok: boolean };
    type Suite = { specs?: Spec[]; suites?: Suite[] };
    type Stats = { expected: number; unexpected: number; flaky: number; skipped: number };
    const read = readReport<{ stats: Stats; suites: Suite[]; errors?: { message?: string }[] }>(report);
    const stats = read?.stats;
    const specsOf = (suites: Suite[]): Spec[] =>
      suites.flatMap(({ specs = [], suites: inner = [] }) => [...specs, ...specsOf(inner)]);
    const failures = [
      ...specsOf(read?.suites ?? [])
        .filter((spec) => !spec.ok)
        .map((spec) => spec.title),
      ...(read?.errors ?? []).map((error) => firstLine(error.message)),
    ];
    // One that passed only the second time is no passed test.
    return {
      exitCode,
      passed: stats?.expected ?? 0,
      failed: (stats?.unexpected ?? 0) + (stats?.flaky ?? 0),
      skipped: stats?.skipped ?? 0,
      failures,
    };
  });
}

type SuiteResult = {
  exitCode: number;
  passed: number;
  failed: number;
  skipped: number;
  /** One line for each failure. */
  failures: readonly string[];
};

const firstLine = (text: string | undefined): string => (text ?? 'no reason given').trim().split('\n')[0] ?? '';

/** A suite whose runner leaves a report. What the runner's exit code and the report say must agree. */
function suite(name: string, files: string, runWith: (report: string, args: string[]) => SuiteResult): Stage {
  const run = (args: string[]): Counts => {
    if (globSync(files).length === 0) return { passed: 0, failed: 0, note: 'there are no tests yet' };
    const { exitCode, passed, failed, skipped, failures } = runWith(path.join(reports, `${name}.json`), args);
    const isFiltered = args.length > 0; // then the rest is skipped on purpose
    if (skipped > 0 && !isFiltered) return { passed, failed: failed + skipped, note: `${skipped} skipped`, failures };
    if (failed > 0) return { passed, failed, failures };
    if (exitCode !== 0) return { passed, failed: 1, note: `its runner failed (exit code ${exitCode})` };
    if (passed === 0) return { passed, failed: 1, note: 'no test ran' };
    return { passed, failed };
  };
  return { group: name, name: `tests: ${name}`, run };
}

function execute(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): number {
  const file = command.includes('/') ? path.resolve(options.cwd ?? '.', command) : command;
  const { status, signal, error } = spawnSync(file, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 20 * minutes,
    ...options,
  });
  if (error) console.error(error.message);
  else if (signal) console.error(`${command} was ended by ${signal}`);
  return status ?? 1;
}

function readReport<Report>(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.error(`The runner left no report that can be read: ${error}`);
    return undefined;
  }
}

function main([group, ...runnerArguments]: string[]): void {
  const chosen = stages.filter((stage) => !group || stage.group === group);
  if (chosen.length === 0) {
    console.error(`There is no "${group}" here, only: ${[...new Set(stages.map((stage) => stage.group))].join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const total = { passed: 0, failed: 0 };
  const summary: string[] = [];
  for (const { name, run } of chosen) {
    console.log(`\n── ${name}`);
    const started = performance.now();
    const { passed, failed, note, failures = [] } = run(runnerArguments);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    total.passed += passed;
    total.failed += failed;
    const counts = `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}${note ? ` (${note})` : ''}`;
    summary.push(`${failed > 0 ? 'FAILED' : '    ok'}  ${name.padEnd(32)} ${counts}, ${seconds} s`);
    // Whoever sees only the end of the output still learns what failed.
    summary.push(...failures.map((failure) => `          ${failure.slice(0, 300)}`));
  }
  console.log(['\n── summary', ...summary, ''].join('\n'));
  process.exitCode = total.failed > 0 ? 1 : 0;
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

main(process.argv.slice(2));
