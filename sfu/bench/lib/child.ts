import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** Longest that a child may take to answer, and to end when it is told to, in milliseconds. */
const answerMs = 60_000;
const endMs = 10_000;

type Request = { readonly call: number; readonly method: string; readonly input: unknown };
type Response = { readonly call: number } & ({ readonly value: unknown } | { readonly error: string });

/** The methods of a child by name. What goes over is JSON, so it is typed on both sides by hand. */
export type Methods = { readonly [name: string]: (input: never) => unknown };

/** A process of ours with its own event loop, which answers calls over Node's own channel: the lightest signalling there is. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #calls = 0;

  /** Starts the program at `file`, with further variables in its environment. Resolves when it says that it is ready. */
  static async start<Ready>(file: URL, env: Readonly<Record<string, string>> = {}): Promise<[Child, Ready]> {
    const child = new Child(fork(file, { env: { ...process.env, ...env }, stdio: ['ignore', 2, 2, 'ipc'] }));
    try {
      return [child, (await child.#expect(0)) as Ready];
    } catch (error) {
      await child.close();
      throw error;
    }
  }

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on('message', (message: Response) => {
      const waiting = this.#waiting.get(message.call);
      this.#waiting.delete(message.call);
      if ('error' in message) waiting?.reject(new Error(message.error));
      else waiting?.resolve(message.value);
    });
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`a process ended: ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Calls a method. Rejects when it throws there, or is not answered in time. */
  async call<Output>(method: string, input: unknown = {}): Promise<Output> {
    this.#calls += 1;
    const answer = this.#expect(this.#calls);
    this.#process.send({ call: this.#calls, method, input } satisfies Request);
    return (await answer) as Output;
  }

  /** Ends the process, and waits for it. It ends too when this process is gone. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), endMs);
    if (this.#process.connected) this.#process.disconnect();
    await exited;
    clearTimeout(impatience);
  }

  async #expect(call: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(call, { resolve, reject });
    const patience = setTimeout(() => {
      this.#waiting.delete(call);
      reject(new Error('a process does not answer'));
    }, answerMs);
    try {
      return await promise;
    } finally {
      clearTimeout(patience);
    }
  }
}

/** The child's side: answers calls with these methods until the parent lets go of it, then closes and ends. */
export const serveParent = (ready: unknown, methods: Methods, close: () => Promise<void>): void => {
  const answer = (response: Response): void => {
    process.send?.(response);
  };
  process.on('message', ({ call, method, input }: Request) => {
    Promise.resolve()
      // The parent calls with what the method takes; nobody else has this channel.
      .then(() => methods[method]?.(input as never))
      .then(
        (value) => answer({ call, value }),
        (error: unknown) => answer({ call, error: error instanceof Error ? error.message : String(error) }),
      );
  });
  process.on('disconnect', () => {
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
  // A Ctrl-C reaches the whole group of processes; the parent lets go of us, and only then we end.
  process.on('SIGINT', () => undefined);
  answer({ call: 0, value: ready });
};
