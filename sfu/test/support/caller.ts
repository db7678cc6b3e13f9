import type { CommandInput } from '@rostrum/shared/protocol/index.ts';
import type { Match, RandomState } from '@rostrum/shared/protocol/random.ts';
import { pause } from '../media/harness.ts';
import { guest, type TestPerson, type TestServer, type TestSocket } from './server.ts';

export type Wanted = Partial<CommandInput<'random:start_queue'>>;

/** What Chrome writes of a call with voice alone, shortened to what says something. */
export const sampleSdp = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:EsAw',
  'a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'A0').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

export const hostCandidate = 'candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host generation 0';
export const relayCandidate =
  'candidate:2 1 udp 41885439 203.0.113.9 50001 typ relay raddr 0.0.0.0 rport 0 generation 0';

/** Somebody who makes random calls: signed in, with the rules accepted, on one device. */
export class Caller {
  readonly person: TestPerson;
  readonly socket: TestSocket;

  private constructor(person: TestPerson, socket: TestSocket) {
    this.person = person;
    this.socket = socket;
  }

  static async arrive(server: TestServer, name: string): Promise<Caller> {
    const person = await guest(server, name);
    await accept(person);
    return new Caller(person, await person.connect());
  }

  get userId(): string {
    return this.person.userId;
  }

  async sessionId(): Promise<string> {
    return (await this.socket.next('session:ready')).sessionId;
  }

  /** Another device of the same person, or (with the session's id) the same one come back. */
  async device(sessionId?: string): Promise<Caller> {
    return new Caller(this.person, await this.person.connect(sessionId === undefined ? {} : { sessionId }));
  }

  async search(wanted: Wanted = {}): Promise<RandomState> {
    return (await this.socket.do('random:start_queue', asked(wanted))).state;
  }

  async searchCode(wanted: Wanted = {}): Promise<string> {
    return this.socket.codeOf('random:start_queue', asked(wanted));
  }

  async state(): Promise<RandomState> {
    return (await this.socket.do('random:sync', {})).state;
  }

  match(partner?: Caller): Promise<Match> {
    return this.socket.next('random:match_instant', ({ partner: { id } }) => !partner || id === partner.userId);
  }

  async connected(sessionId: string): Promise<void> {
    await this.socket.do('random:connected', { sessionId, route: 'p2p_udp' });
  }
}

const asked = (wanted: Wanted): CommandInput<'random:start_queue'> =>
  // The server fills in what is left out.
  ({ mode: 'voice', ...wanted }) as CommandInput<'random:start_queue'>;

export const accept = async (person: TestPerson): Promise<void> => {
  const { status } = await person.http('PUT', '/api/me/consents', { houseRules: true, minimumAge: 18 });
  if (status !== 200) throw new Error(`the house rules could not be accepted: ${status}`);
};

/** Two who have found each other; the first waited longer. */
export const pair = async (
  server: TestServer,
  options: { mode?: 'voice' | 'video' | 'text'; connected?: boolean; wanted?: Wanted } = {},
): Promise<{ ann: Caller; ben: Caller; sessionId: string }> => {
  const { mode = 'voice', connected = true, wanted = {} } = options;
  const ann = await Caller.arrive(server, 'Ann');
  const ben = await Caller.arrive(server, 'Ben');
  await ann.search({ mode, ...wanted });
  // Who comes in the same millisecond has waited as long.
  await pause(5);
  await ben.search({ mode, ...wanted });
  const { sessionId } = await ann.match(ben);
  await ben.match(ann);
  if (connected && mode !== 'text') {
    await ann.connected(sessionId);
    await ben.connected(sessionId);
    await ann.socket.next('random:connected', (told) => told.sessionId === sessionId);
    await ben.socket.next('random:connected', (told) => told.sessionId === sessionId);
  }
  return { ann, ben, sessionId };
};
