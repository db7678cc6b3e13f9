/** Longest that the metrics may take, in milliseconds. */
const answerMs = 5000;
/** Samples that are kept (RE-5): the figures are of so many of the last. */
const mostSamples = 10_000;

type Sample = {
  readonly at: number;
  /** Share of a core, by worker. */
  readonly workers: ReadonlyMap<string, number>;
  readonly nodeSeconds: number | undefined;
  readonly rssBytes: number | undefined;
};

export type WorkerUse = { readonly worker: string; readonly cpuMean: number; readonly cpuMax: number };

/** What the server said of itself while everybody was in. */
export type ServerUse = {
  readonly workers: readonly WorkerUse[];
  /** Share of a core that Node used; null where it was not told. */
  readonly node: number | null;
  readonly rssMb: number | null;
};

/** Reads the server's metrics now and then, where they can be reached. */
export class ServerMetrics {
  readonly #url: string;
  readonly #samples: Sample[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** Never rejects: a server that keeps its metrics to itself is measured without them. */
  async look(): Promise<void> {
    try {
      const response = await fetch(this.#url, { redirect: 'error', signal: AbortSignal.timeout(answerMs) });
      if (!response.ok) return;
      this.#samples.push({ at: performance.now(), ...sampleIn(await response.text()) });
      if (this.#samples.length > mostSamples) this.#samples.shift();
    } catch {
      // Not reachable from here.
    }
  }

  /** Null when nothing could be read. */
  get use(): ServerUse | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return null;
    const seconds = (last.at - first.at) / 1000;
    const node =
      seconds > 0 && first.nodeSeconds !== undefined && last.nodeSeconds !== undefined
        ? (last.nodeSeconds - first.nodeSeconds) / seconds
        : null;
    const names = [...new Set(this.#samples.flatMap(({ workers }) => [...workers.keys()]))];
    return {
      workers: names.map((worker) => {
        const shares = this.#samples.flatMap(({ workers }) => workers.get(worker) ?? []);
        const cpuMean = shares.reduce((total, share) => total + share, 0) / shares.length;
        return { worker, cpuMean, cpuMax: Math.max(...shares) };
      }),
      node,
      rssMb: last.rssBytes === undefined ? null : Math.round(last.rssBytes / 2 ** 20),
    };
  }
}

/** A line of Prometheus' text format: a name, labels perhaps, a value. */
const line = /^(?<name>[a-z_]+)(?:\{(?<labels>[^}]*)\})? (?<value>\S+)/;

const sampleIn = (text: string): Omit<Sample, 'at'> => {
  const workers = new Map<string, number>();
  let nodeSeconds: number | undefined;
  let rssBytes: number | undefined;
  for (const one of text.split('\n')) {
    const groups = line.exec(one)?.groups;
    const value = Number(groups?.['value']);
    const worker = /worker="(?<worker>[^"]*)"/.exec(groups?.['labels'] ?? '')?.groups?.['worker'];
    if (groups?.['name'] === 'rostrum_worker_cpu' && worker !== undefined) workers.set(worker, value);
    if (groups?.['name'] === 'process_cpu_seconds_total') nodeSeconds = value;
    if (groups?.['name'] === 'process_resident_memory_bytes') rssBytes = value;
  }
  return { workers, nodeSeconds, rssBytes };
};
