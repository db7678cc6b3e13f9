import type { ClientDtlsParameters } from '@rostrum/shared/protocol/media.ts';
import type { TestPerson, TestSocket } from './server.ts';
import { type PeerOptions, WrtcPeer } from './wrtc-peer.ts';

/** Somebody in a room, with real media: the socket of a test person, and a peer that follows what it is told. */
export class MediaPerson {
  readonly person: TestPerson;
  readonly socket: TestSocket;
  readonly roomId: string;
  readonly peer: WrtcPeer;

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
    const failed = (error: unknown) => {
      throw error;
    };
    socket.raw.on('media:consumers-added', ({ consumers }) => void this.peer.addVoices(consumers).catch(failed));
    socket.raw.on('media:consumers-removed', ({ consumerIds }) => this.peer.dropVoices(consumerIds));
    socket.raw.on('media:unpublished', () => this.peer.stopSpeaking());
  }

  /** Takes part in a call that the SFU carries (RD-4), and begins to listen. */
  static async inCall(person: TestPerson, socket: TestSocket, callId: string): Promise<MediaPerson> {
    const entered = new MediaPerson(person, socket, callId, {});
    await entered.listen();
    return entered;
  }

  /** Joins the room and begins to listen. */
  static async enter(person: TestPerson, roomId: string, options: PeerOptions = {}): Promise<MediaPerson> {
    const entered = new MediaPerson(person, await person.enter(roomId), roomId, options);
    await entered.listen();
    return entered;
  }

  async listen(): Promise<void> {
    await this.peer.listen(await this.socket.do('media:listen', { roomId: this.roomId }));
  }

  /** Opens the microphone, which speaks a tone. */
  async speak(hertz: number): Promise<void> {
    await this.peer.speak(await this.socket.do('media:publish', { roomId: this.roomId }), { hertz });
  }

  close(): void {
    this.peer.close();
    this.socket.close();
  }
}
