import type { RoomSettings } from '@rostrum/shared/protocol/room.ts';
import { Refused } from '../lib/refused.ts';
import { Speaker } from '../lib/speakers.ts';
import type { LoadContext } from './context.ts';
import { LightEars } from './ears.ts';
import { spread, type Tries, tryAgain, within } from './patience.ts';
import { RoomListener } from './room-listener.ts';
import { OpenVoice, type Talker } from './talk.ts';

/** Longest that a raised hand waits to be accepted, in milliseconds. */
const acceptedMs = 30_000;
const tries: Tries = { most: 6, firstMs: 250, longestMs: 4000 };
/** Of Opus, where nobody says how much; each packet of a voice says it. */
const payloadBytes = 80;

/** Asks the host of a room to accept the hand of this person. */
export type AcceptHand = (userId: string) => Promise<void>;

/** Somebody on the stage: hears the room like everybody, and has an open microphone that comes back when a worker took it. */
export class RoomSpeaker implements Talker {
  readonly listener: RoomListener;
  readonly #context: LoadContext;
  #voice: OpenVoice | undefined;
  #producerId: string | undefined;
  #publishing: Promise<void> = Promise.resolve();

  /** Joins, raises a hand where joining does not lead onto the stage, and opens the microphone. @throws Refused, Error */
  static async join(context: LoadContext, roomId: string, accept: AcceptHand): Promise<RoomSpeaker> {
    const listener = await RoomListener.join(context, { roomId, ears: new LightEars(context) });
    try {
      if (listener.joined.state.self.role === 'listener') await raiseHand(listener, accept);
      return await RoomSpeaker.speak(context, listener);
    } catch (error) {
      // A refusal is in the tally already.
      if (!(error instanceof Refused)) context.tally.failed('coming onto the stage', error);
      await listener.leave();
      throw error;
    }
  }

  /** Opens the microphone of somebody who is on the stage already. @throws Refused, Error */
  static async speak(context: LoadContext, listener: RoomListener): Promise<RoomSpeaker> {
    const speaker = new RoomSpeaker(context, listener);
    await speaker.publish();
    return speaker;
  }

  private constructor(context: LoadContext, listener: RoomListener) {
    this.#context = context;
    this.listener = listener;
    listener.sends({ transportId: () => this.#voice?.transportId, lost: (withinMs) => this.#lost(withinMs) });
    // Off the stage, or the server closed it: somebody who still may speak opens it again.
    listener.person.on('media:unpublished', ({ producerId }) => {
      if (this.#voice !== undefined && producerId === this.#producerId) this.#lost(0);
    });
  }

  get userId(): string {
    return this.listener.person.userId;
  }

  get voice(): OpenVoice | undefined {
    return this.#voice;
  }

  /** Opens the microphone; one that is open is closed first. The server says how much sound a packet is to hold. @throws Refused, Error */
  publish(): Promise<void> {
    const next = this.#publishing.then(() => this.#publish());
    this.#publishing = next.catch(() => undefined);
    return next;
  }

  async leave(): Promise<void> {
    await this.listener.leave();
    this.#voice?.close();
    this.#voice = undefined;
  }

  async #publish(): Promise<void> {
    const { person, roomId } = this.listener;
    const before = this.#voice;
    this.#voice = undefined;
    before?.close();
    let quality: RoomSettings['audioQuality'] = 'medium';
    const speaker = await Speaker.open(
      {
        publish: async () => {
          const answer = await person.do('media:publish', { roomId });
          quality = answer.audioQuality;
          return answer;
        },
        produce: async (transportId, rtpParameters) => {
          const { producerId } = await person.do('media:produce', { roomId, transportId, rtpParameters });
          this.#producerId = producerId;
        },
        connectTransport: async (transportId, dtlsParameters) => {
          await person.do('media:connect', { roomId, transportId, dtlsParameters });
        },
      },
      { payloadBytes, addresses: this.#context.server.addresses },
    );
    if (person.closing.aborted) speaker.close();
    else this.#voice = new OpenVoice(speaker, { quality });
  }

  /** A worker died, and the microphone with it. */
  #lost(withinMs: number): void {
    const { tally } = this.#context;
    const { closing } = this.listener.person;
    const told = performance.now();
    tally.count('speakingLost');
    const again = async (): Promise<void> => {
      await spread(withinMs, closing);
      await tryAgain(() => this.publish(), tries, closing);
      tally.count('speakingBack');
      tally.times.speakingBack.record(performance.now() - told);
    };
    again().catch((error: unknown) => {
      if (!closing.aborted) tally.failed('after media:lost', error);
    });
  }
}

const raiseHand = async ({ person, roomId }: RoomListener, accept: AcceptHand): Promise<void> => {
  const onStage = Promise.withResolvers<void>();
  // Whoever changes role is sent a whole view anew.
  person.on('room:state', ({ state }) => {
    if (state.self.role !== 'listener') onStage.resolve();
  });
  await person.do('room:hand-raise', { roomId });
  await accept(person.userId);
  await within(acceptedMs, onStage.promise, 'hand_not_accepted');
};
