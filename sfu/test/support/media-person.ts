import type { ListeningOffer } from '@rostrum/shared/protocol/listening.ts';
import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import { pause } from '../media/harness.ts';
import type { TestPerson, TestSocket } from './server.ts';
import { type PeerOptions, WrtcPeer } from './wrtc-peer.ts';

/** Somebody in a room, with real media: the socket of a test person, and a peer that follows what it is told. */
export class MediaPerson {
  readonly person: TestPerson;
  readonly socket: TestSocket;
  readonly roomId: string;
  readonly peer: WrtcPeer;
  #hertz: number | undefined;
  #closed = false;
  /** Media is set up one step after the other. */
  #steps: Promise<unknown> = Promise.resolve();

  private constructor(person: TestPerson, socket: TestSocket, roomId: string, options: PeerOptions) {
    this.person = person;
    this.socket = socket;
    this.roomId = roomId;
    this.peer = new WrtcPeer(
      {
        connect: async (transportId, dtlsParameters) => {
          await socket.do('media:connect', {
            roomId,
            transportId,
            dtlsParameters: dtlsParameters as ClientDtlsParameters,
          });
        },
        produce: async (transportId, rtpParameters) =>
          (await socket.do('media:produce', { roomId, transportId, rtpParameters })).producerId,
      },
      options,
    );
    this.#follow();
  }

  /** Takes part in a call that the SFU carries (RD-4), and begins to listen. */
  static async inCall(person: TestPerson, socket: TestSocket, callId: string): Promise<MediaPerson> {
    const entered = new MediaPerson(person, socket, callId, {});
    await entered.listen();
    return entered;
  }

  /** Joins the room and begins to listen, in one request. */
  static async enter(person: TestPerson, roomId: string, options: PeerOptions = {}): Promise<MediaPerson> {
    const entered = new MediaPerson(person, await person.connect(), roomId, options);
    await entered.#inTurn(async () => {
      const { listening } = await entered.socket.do('room:join', { roomId, listen: true });
      await entered.#listen(listening);
    });
    return entered;
  }

  /** Listens anew; what is heard goes on until then. */
  listen(): Promise<void> {
    return this.#inTurn(() => this.#listen(null));
  }

  /** Opens the microphone, which speaks a tone; again by itself where a worker takes it away. */
  speak(hertz: number): Promise<void> {
    this.#hertz = hertz;
    return this.#inTurn(() => this.#speak(hertz));
  }

  close(): void {
    this.#closed = true;
    this.peer.close();
    this.socket.close();
  }

  #follow(): void {
    const { raw } = this.socket;
    const failed = (error: unknown) => {
      // What was under way when they went is nobody's concern.
      if (!this.#closed) throw error;
    };
    const step = (act: () => Promise<unknown>): void => void this.#inTurn(act).catch(failed);
    raw.on('media:consumers-added', ({ transportId, consumers }) =>
      step(async () => {
        if (transportId === this.peer.receivingId) await this.peer.addVoices(consumers);
      }),
    );
    raw.on('media:consumers-removed', ({ consumerIds }) => step(async () => this.peer.dropVoices(consumerIds)));
    raw.on('media:unpublished', () => this.peer.stopSpeaking());
    const anew = (withinMs: number): void =>
      void pause(Math.random() * withinMs).then(() => step(() => this.#listen(null)));
    raw.on('media:relisten', ({ withinMs }) => anew(withinMs));
    raw.on('media:lost', ({ receiving, sending, withinMs }) => {
      const hertz = this.#hertz;
      if (sending && hertz !== undefined) step(() => this.#speak(hertz));
      if (receiving) anew(withinMs);
    });
  }

  async #listen(opened: ListeningOffer | null): Promise<void> {
    await this.peer.listen(opened ?? (await this.socket.do('media:listen', { roomId: this.roomId })));
  }

  async #speak(hertz: number): Promise<void> {
    await this.peer.speak(await this.socket.do('media:publish', { roomId: this.roomId }), { hertz });
  }

  #inTurn<Value>(act: () => Promise<Value>): Promise<Value> {
    const turn = this.#steps.then(act);
    this.#steps = turn.catch(() => undefined);
    return turn;
  }
}
