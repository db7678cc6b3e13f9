import { createRoom } from './api.ts';
import type { LoadContext } from './context.ts';
import { Conversation, type TalkSource } from './conversation.ts';
import { LightEars } from './ears.ts';
import { Person } from './person.ts';
import { RoomListener } from './room-listener.ts';
import { type AcceptHand, RoomSpeaker } from './room-speaker.ts';
import { Talk } from './talk.ts';

/** Largest room there is (RM-1), and its stage beside the host. */
const mostPeople = 10_000;
const mostSpeakers = 30;

export type StageOptions = {
  /** A room that is there already; where left out, one is made, with its host as the first speaker. */
  readonly roomId?: string;
  readonly title?: string;
  readonly speakers: number;
  /** How many talk at a time. */
  readonly talking: number;
  /** People who are to find room besides the speakers. */
  readonly listeners: number;
  /** Whoever joins is on the stage at once (RO-4); else they raise their hands, and the host accepts them. */
  readonly anyoneCanSpeak?: boolean;
  /** Who talks when, in the place of a conversation. */
  readonly source?: TalkSource;
};

/** The people on the stage of one room, with open microphones, who talk to each other. */
export class RoomStage {
  readonly roomId: string;
  readonly #host: RoomSpeaker | undefined;
  readonly speakers: readonly RoomSpeaker[];
  readonly talk: Talk;

  /** Fills the stage; nobody talks yet. @throws Refused, Error */
  static async open(context: LoadContext, options: StageOptions): Promise<RoomStage> {
    const { speakers: wanted, source = new Conversation(options) } = options;
    const { roomId, host, accept } = await enterRoom(context, options);
    const speakers = host === undefined ? [] : [host];
    const talk = new Talk(speakers, source, context.metronome);
    const stage = new RoomStage(roomId, { host, speakers, talk });
    try {
      const missing = Array.from({ length: wanted - speakers.length }, () => RoomSpeaker.join(context, roomId, accept));
      const outcomes = await Promise.allSettled(missing);
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') speakers.push(outcome.value);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      // Whom the host of a room that was there lets speak is theirs to say; those who may begin.
      if (failed !== undefined && (host !== undefined || speakers.length === 0)) throw failed.reason;
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  private constructor(
    roomId: string,
    { host, speakers, talk }: Pick<RoomStage, 'speakers' | 'talk'> & { readonly host: RoomSpeaker | undefined },
  ) {
    this.roomId = roomId;
    this.#host = host;
    this.speakers = speakers;
    this.talk = talk;
  }

  get userIds(): readonly string[] {
    return this.speakers.map(({ userId }) => userId);
  }

  /** Opens every microphone anew, one after the other, as in a room that has grown. @throws Refused, Error */
  async reopen(): Promise<void> {
    for (const speaker of this.speakers) await speaker.publish();
  }

  /** Nobody talks any more, everybody leaves, and a room that was made for this ends. Never rejects. */
  async close(): Promise<void> {
    this.talk.stop();
    const { roomId } = this;
    await Promise.all(this.speakers.filter((speaker) => speaker !== this.#host).map((speaker) => speaker.leave()));
    if (this.#host === undefined) return;
    await endRoom(this.#host.listener.person, roomId);
    await this.#host.leave();
  }
}

type Entered = { readonly roomId: string; readonly host: RoomSpeaker | undefined; readonly accept: AcceptHand };

const enterRoom = async (context: LoadContext, options: StageOptions): Promise<Entered> => {
  // Hands in a room that is there already are for its own host to accept.
  if (options.roomId !== undefined) return { roomId: options.roomId, host: undefined, accept: async () => undefined };
  const person = await Person.signIn(context);
  const roomId = await makeRoom(context, person, options);
  context.tally.count('asked');
  const listener = await RoomListener.enter(context, person, { roomId, ears: new LightEars(context) });
  const host = await RoomSpeaker.speak(context, listener).catch(async (error: unknown) => {
    await endRoom(person, roomId);
    await listener.leave();
    throw error;
  });
  return {
    roomId,
    host,
    accept: async (userId) => {
      await person.do('room:hand-accept', { roomId, userId });
    },
  };
};

/** Else it would be there for a minute more (RM-3). Never rejects: a server that is gone has no room. */
const endRoom = async (host: Person, roomId: string): Promise<void> => {
  await host.do('room:end', { roomId }).catch(() => undefined);
};

const makeRoom = async ({ server, tally }: LoadContext, host: Person, options: StageOptions): Promise<string> => {
  const { title = 'Load test', speakers, listeners, anyoneCanSpeak = false } = options;
  try {
    return await createRoom(server, host.pass, {
      title,
      maxParticipants: Math.min(mostPeople, speakers + listeners + 1),
      maxSpeakers: Math.min(mostSpeakers, Math.max(1, speakers - 1)),
      permissions: { anyoneCanSpeak },
    });
  } catch (error) {
    tally.failed('creating a room', error);
    throw error;
  }
};
