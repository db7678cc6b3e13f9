import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';
import type { MicrophoneRtpParameters } from '@rostrum/shared/protocol/media.ts';
import { Child } from './child.ts';
import type { Seat } from './side.ts';

/** A packet by its RTP timestamp and its level in dBov; 1 where it says none. */
export type ReadPacket = readonly [timestamp: number, dBov: number];

/** What was heard of a conversation. */
export type GateRecord = {
  /** Every packet of each microphone that came to the stage: what an audience hears without a gate. */
  readonly stage: { readonly producerId: string; readonly packets: readonly ReadPacket[] }[];
  /** What came to an audience router, of each voice there; which is whose is known by the timestamps. */
  readonly gated: (readonly ReadPacket[])[];
  /** What the same gate lets through when mediasoup's observer tells it levels, of each microphone as in `stage`. */
  readonly observed: { readonly packets: (readonly ReadPacket[])[]; switches: number };
  /** Voices that Rostrum's gate let in or took out, once for each audience router. */
  switches: number;
};

/** What letting one voice in and taking another one out costs, on average. */
export type SwitchCost = {
  readonly requests: number;
  readonly notifications: number;
  readonly nodeUs: number;
  readonly workerUs: number;
};

/** By one relay at its sending end, as the gate does; and at its far end, where every listener's consumer is told. */
export type SwitchCosts = { readonly gate: SwitchCost; readonly mirrored: SwitchCost };

type Published = { readonly rtpCapabilities: Record<string, unknown>; readonly transport: TransportOffer };
/** Somebody on the stage, as much as it takes to be heard. */
export type StageSeat = Pick<Seat, 'produce' | 'connectTransport'> & {
  publish(): Promise<Published & { readonly packetMs: number }>;
};

/** Rostrum's media plane in a process of its own, with one room at a time. See `gate-server.ts`. */
export class GateSide {
  readonly #child: Child;
  #people = 0;

  /** Starts it with so many media workers. */
  static async start(workers: number): Promise<GateSide> {
    const [child] = await Child.start(new URL('./gate-server.ts', import.meta.url), { BENCH_WORKERS: String(workers) });
    return new GateSide(child);
  }

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Ends the room, and begins another one whose microphones send packets of this length. */
  async begin(packetMs: number): Promise<void> {
    this.#people = 0;
    await this.#child.call('begin', { packetMs });
  }

  /** A seat of one more person on the stage. */
  seat(): StageSeat {
    const person = this.#people;
    this.#people += 1;
    return {
      publish: () => this.#child.call('publish', { person }),
      connectTransport: (transportId, dtlsParameters) =>
        this.#child.call('connect', { person, transportId, dtlsParameters }),
      produce: (transportId: string, rtpParameters: MicrophoneRtpParameters) =>
        this.#child.call('produce', { person, transportId, rtpParameters }),
    };
  }

  /** Somebody of the audience who hears it: one at a time. */
  listener(): Pick<Seat, 'listen' | 'connectTransport'> {
    return {
      listen: () => this.#child.call('listen'),
      connectTransport: (transportId, dtlsParameters) =>
        this.#child.call('connectListener', { transportId, dtlsParameters }),
    };
  }

  letIn(listeners: number): Promise<void> {
    return this.#child.call('letIn', { listeners });
  }

  record(): Promise<void> {
    return this.#child.call('record');
  }

  recorded(): Promise<GateRecord> {
    return this.#child.call('recorded');
  }

  /** Voices that were let in or taken out since the process started, and requests to workers, each once for each audience router. */
  counts(): Promise<{ readonly switches: number; readonly switchRequests: number; readonly audienceRouters: number }> {
    return this.#child.call('counts');
  }

  switchCosts(times: number): Promise<SwitchCosts> {
    return this.#child.call('switchCosts', { times });
  }

  close(): Promise<void> {
    return this.#child.close();
  }
}
