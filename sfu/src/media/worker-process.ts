import { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import type { types } from 'mediasoup';
import * as mediasoup from 'mediasoup';

/** A worker as mediasoup knows it, and its process, which mediasoup does not show. */
export type WorkerProcess = { readonly worker: types.Worker; readonly child: ChildProcess };

export type WorkerStart = {
  /** The worker's executable; when left out, what mediasoup finds. */
  readonly workerBin: string | undefined;
  readonly listenInfos: types.TransportListenInfo[];
  /** How long the process may take to start and to open its sockets, and how long to close, in milliseconds. */
  readonly patienceMs: number;
};

/**
 * Starts a worker process, and its WebRtcServer on the port of `listenInfos`. Rejects when the process does not start, does not get
 * there in time (mediasoup would wait for ever), or a socket cannot be opened; then nothing is left running.
 */
export const startWorker = async ({
  workerBin,
  listenInfos,
  patienceMs,
}: WorkerStart): Promise<WorkerProcess & { readonly server: types.WebRtcServer }> => {
  const { child, running } = spawnWorker(workerBin);
  let inTime = true;
  const overdue = setTimeout(() => {
    inTime = false;
    killWorker(child);
  }, patienceMs);
  try {
    const worker = await running;
    try {
      return { worker, child, server: await worker.createWebRtcServer({ listenInfos }) };
    } catch (error) {
      await closeWorker({ worker, child }, patienceMs);
      throw error;
    }
  } catch (error) {
    throw inTime ? error : new Error(`it did not start within ${patienceMs} ms`, { cause: error });
  } finally {
    clearTimeout(overdue);
  }
};

/**
 * Closes a worker and waits for its process to exit; one that does not within `patienceMs` is killed. Its ports are free only
 * then.
 */
export const closeWorker = async ({ worker, child }: WorkerProcess, patienceMs: number): Promise<void> => {
  const exited = new Promise<void>((resolve) => {
    if (worker.subprocessClosed) resolve();
    else worker.once('subprocessclose', resolve);
  });
  worker.close();
  const impatience = setTimeout(() => killWorker(child), patienceMs);
  await exited;
  clearTimeout(impatience);
};

/** Kills the process, a stopped one too. Through its handle, as its pid belongs to another process as soon as it is gone. */
export const killWorker = (child: ChildProcess): void => {
  child.kill('SIGKILL');
};

/** What the system says of a process. */
export type ProcessLook = {
  /** A signal stopped it: nothing that it was asked is answered before somebody lets it go on. */
  readonly isStopped: boolean;
  /** Time on a core, and that part of it in which the system worked for it; in milliseconds. */
  readonly cpuMs: number;
  readonly systemMs: number;
};

/** In which Linux tells times there, on every machine that Node runs on (sysconf(3), _SC_CLK_TCK). */
const tickMs = 10;

/** Looks at a process (proc(5), `stat`); undefined where the system does not say, or it is gone. Never rejects. */
export const lookAtProcess = async (pid: number): Promise<ProcessLook | undefined> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name of the executable comes before, in brackets, and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // By proc(5): the state is field 3, the times of the program and of the system are fields 14 and 15.
    const [userMs, systemMs] = [Number(fields[11]) * tickMs, Number(fields[12]) * tickMs];
    return { isStopped: fields[0] === 'T', cpuMs: userMs + systemMs, systemMs };
  } catch {
    return undefined;
  }
};

/**
 * mediasoup makes every worker close itself on SIGINT and SIGTERM. A server that drains needs its workers until the last
 * room has ended, so exactly the listeners that mediasoup added are taken away again. It adds them, and starts the process,
 * before `createWorker` first waits, so nothing else can have added or started one in between.
 */
const spawnWorker = (workerBin: string | undefined): { child: ChildProcess; running: Promise<types.Worker> } => {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = signals.map((signal) => new Set(process.rawListeners(signal)));
  const spawned: ChildProcess[] = [];
  // Node tells of every process that it starts (diagnostics_channel, `child_process`).
  const note = (message: unknown): void => {
    if (typeof message === 'object' && message !== null && 'process' in message) {
      if (message.process instanceof ChildProcess) spawned.push(message.process);
    }
  };
  subscribe('child_process', note);
  const running = mediasoup.createWorker({ logLevel: 'error', ...(workerBin === undefined ? {} : { workerBin }) });
  unsubscribe('child_process', note);
  signals.forEach((signal, index) => {
    for (const listener of process.rawListeners(signal)) {
      if (!before[index]?.has(listener)) process.off(signal, listener as NodeJS.SignalsListener);
    }
  });
  const [child] = spawned;
  if (child === undefined) throw new Error('Node does not tell of the processes that it starts');
  return { child, running };
};
