import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Network } from './namespaces.ts';
import type { PeerCommand, PeerReport, PeerStart, PeerState, Signal } from './turn-peer.ts';

const script = fileURLToPath(new URL('turn-peer.ts', import.meta.url));

/** How long a peer may take to say how it is. */
const answerMs = 5000;

/** A peer that runs on another machine. */
class FarPeer {
  /** Everything that it sent to the other one. */
  readonly signals: Signal[] = [];
  readonly #child: ChildProcess;
  #trouble = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.on('data', (text: Buffer) => {
      this.#trouble += text.toString();
    });
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', () => resolve());
      this.#child.once('exit', () => reject(new Error(`a peer ended: ${this.#trouble}`)));
    });
  }

  onSignal(hear: (signal: Signal) => void): void {
    this.#child.on('message', (report: PeerReport) => {
      if (report.kind !== 'signal') return;
      this.signals.push(report.signal);
      hear(report.signal);
    });
  }

  command(command: PeerCommand): void {
    if (this.#child.connected) this.#child.send(command);
  }

  state(): Promise<PeerState> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`a peer says nothing: ${this.#trouble}`)), answerMs);
      const hear = (report: PeerReport): void => {
        if (report.kind !== 'state') return;
        clearTimeout(timer);
        this.#child.off('message', hear);
        resolve(report.state);
      };
      this.#child.on('message', hear);
      this.command({ kind: 'state' });
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

/** A call between the people on two machines. The first one offers. */
export type FarCall = {
  states(): Promise<[PeerState, PeerState]>;
  /** What went from one to the other, of both. */
  signals(): Signal[];
  stop(): void;
};

export const startCall = async <Name extends string>(
  network: Network<Name>,
  names: readonly [Name, Name],
  starts: readonly [Omit<PeerStart, 'offers'>, Omit<PeerStart, 'offers'>],
): Promise<FarCall> => {
  const start = (name: Name): FarPeer => new FarPeer(network.spawn(name, process.execPath, [script], { ipc: true }));
  const [one, other] = [start(names[0]), start(names[1])];
  await Promise.all([one.ready(), other.ready()]);
  one.onSignal((signal) => other.command({ kind: 'signal', signal }));
  other.onSignal((signal) => one.command({ kind: 'signal', signal }));
  other.command({ kind: 'start', start: { ...starts[1], offers: false } });
  one.command({ kind: 'start', start: { ...starts[0], offers: true } });
  return {
    states: () => Promise.all([one.state(), other.state()]),
    signals: () => [...one.signals, ...other.signals],
    stop: () => {
      one.stop();
      other.stop();
    },
  };
};
