import { execFileSync } from 'node:child_process';
import { parseEnv } from 'node:util';
import { defineConfig } from 'vitest/config';

// Where the mediasoup worker is. Under deploy/test that is in the environment already; this is for a vitest started by hand.
const environment = parseEnv(execFileSync('../deploy/env', ['env'], { cwd: import.meta.dirname, encoding: 'utf8' }));

const real = ['test/{media,integration,fault,gateway}/**/*.test.ts', 'test/contract/*redis*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'pure', include: ['**/*.test.ts'], exclude: [...real, '**/node_modules/**'] } },
      // Real workers, sockets and processes one file after the other: two at a time would each find the machine busy.
      {
        extends: true,
        test: { name: 'real', include: real, fileParallelism: false, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
    env: {
      MEDIASOUP_WORKER_BIN: environment['MEDIASOUP_WORKER_BIN'] ?? '',
      ROSTRUM_WORKER_BIN: environment['ROSTRUM_WORKER_BIN'] ?? '',
    },
    // Real workers and real WebRTC: a busy machine takes its time.
    testTimeout: 20_000,
    hookTimeout: 20_000,
    restoreMocks: true,
  },
});
