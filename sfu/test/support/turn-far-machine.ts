import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Network } from './namespaces.ts';
import type { Address, FarCommand, FarReport } from './turn-far-sockets.ts';

const script = fileURLToPath(new URL('turn-far-sockets.ts', import.meta.url));

export type { Address };
export type Packet = { readonly data: Buffer; readonly from: Address };

/** A UDP socket on another machine. */
export type FarUdp = {
  /** Where it is bound. */
  readonly at: Address;
  send(data: Uint8Array, to: Address): void;
  /** What it heard since it was opened. */
  readonly packets: readonly Packet[];
  onPacket(hear: (packet: Packet) => void): void;
  close(): void;
};

type Reports = { open(at: Address): void; data(data: Buffer, from?: Address): void; closed(error?: string): void };

/** Opens sockets on another machine. */
export class FarMachine {
  readonly #child: ChildProcess;
  readonly #sockets = new Map<number, Reports>();
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report: FarReport) => this.#hear(report));
  }

  static async start<Name extends string>(network: Network<Name>, name: Name): Promise<FarMachine> {
    const child = network.spawn(name, process.execPath, [script], { ipc: true });
    let trouble = '';
    child.stderr?.on('data', (text: Buffer) => {
      trouble += text.toString();
    });
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`the sockets of ${name} ended with ${code}: ${trouble}`)));
    });
    return new FarMachine(child);
  }

  /** Bound to that address; port 0 takes any. */
  async udp(at: Address): Promise<FarUdp> {
    const packets: Packet[] = [];
    const listeners: ((packet: Packet) => void)[] = [];
    const { id, opened } = this.#open('udp', at, (data, from) => {
      if (!from) return;
      packets.push({ data, from });
      for (const hear of listeners) hear({ data, from });
    });
    return {
      at: await opened,
      send: (data, to) => this.#command({ kind: 'send', id, data, to }),
      packets,
      onPacket: (hear) => listeners.push(hear),
      close: () => this.#close(id),
    };
  }

  /** A connection to that address; rejects where nobody takes it. */
  async tcp(to: Address): Promise<Duplex> {
    const { id, opened } = this.#open('tcp', to, (data) => stream.push(data));
    const stream = new Duplex({
      read: () => undefined,
      write: (data: Buffer, _encoding, written) => {
        this.#command({ kind: 'send', id, data });
        written();
      },
      destroy: (error, destroyed) => {
        this.#close(id);
        destroyed(error);
      },
    });
    await opened;
    this.#sockets.set(id, {
      open: () => undefined,
      data: (data) => stream.push(data),
      closed: () => stream.push(null),
    });
    return stream;
  }

  #open(
    kind: 'udp' | 'tcp',
    at: Address,
    data: (data: Buffer, from?: Address) => void,
  ): { id: number; opened: Promise<Address> } {
    this.#lastId += 1;
    const id = this.#lastId;
    const opened = new Promise<Address>((resolve, reject) => {
      const closed = (error = 'closed'): void => reject(new Error(`${kind} ${at.address} ${at.port}: ${error}`));
      this.#sockets.set(id, { open: resolve, data, closed });
    });
    this.#command({ kind, id, at });
    return { id, opened };
  }

  #close(id: number): void {
    this.#sockets.delete(id);
    if (this.#child.connected) this.#command({ kind: 'close', id });
  }

  #command(command: FarCommand): void {
    this.#child.send(command);
  }

  #hear(report: FarReport): void {
    if (report.kind === 'ready') return;
    const socket = this.#sockets.get(report.id);
    if (report.kind === 'open') socket?.open(report.at);
    else if (report.kind === 'data') socket?.data(Buffer.from(report.data), report.from);
    else socket?.closed(report.error);
  }
}
