import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { id } from '@rostrum/shared/protocol/common.ts';

/** A number that can be set, with its bounds: a load must not run away. `unset`: there is none unless it is given. */
type NumberOption = {
  readonly kind: 'number';
  readonly standard: number | null;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly says: string;
};
type FlagOption = { readonly kind: 'flag'; readonly says: string };
type TextOption = { readonly kind: 'text'; readonly takes: string; readonly says: string };

const whole = (standard: number, min: number, max: number, says: string): NumberOption => ({
  kind: 'number',
  standard,
  min,
  max,
  whole: true,
  says,
});
const threshold = (max: number, says: string): NumberOption => ({
  kind: 'number',
  standard: null,
  min: 0,
  max,
  whole: false,
  says,
});
const text = (takes: string, says: string): TextOption => ({ kind: 'text', takes, says });
const flag = (says: string): FlagOption => ({ kind: 'flag', says });

/** All listeners, and all people with a socket, of one load (RE-5): more want another machine beside this one. */
const mostListeners = 20_000;
const mostPeople = 25_000;
/** RM-1, and RM-3: a room lasts 12 h. */
const mostInRoom = 10_000;
const mostSeconds = 12 * 3600;
/** libwebrtc fills a core with some hundreds of listeners, and with some dozens of calls. */
const mostProbes = 200;
const mostCallers = 40;
const longestMs = 600_000;

const options = {
  server: text('URL', 'the server to load, such as https://rooms.example; nothing is loaded without it'),
  'media-address': text('IP,IP…', 'where media may go besides the addresses of the server; nowhere else is it sent'),
  metrics: text(
    'URL',
    "the server's metrics; /metrics of the server when left out, which answers on its own machine alone",
  ),
  room: text('ID', 'a room that is there already, in the place of new ones'),
  rooms: whole(1, 1, 1000, 'rooms to make'),
  listeners: whole(40, 0, mostInRoom, 'people who listen in each room'),
  speakers: whole(4, 0, 31, 'people with an open microphone in each room, the host included'),
  talking: whole(2, 1, 30, 'how many of them talk at a time'),
  'anyone-can-speak': flag('whoever joins first is on the stage; else speakers raise a hand and the host accepts it'),
  'reopen-microphones': flag(
    'when everybody is in, open each microphone anew: in a large room packets hold more sound',
  ),
  'joins-per-second': whole(20, 1, 1000, 'how fast listeners come, all rooms together'),
  duration: whole(60, 1, mostSeconds, 'seconds that everybody stays once all are in'),
  probes: whole(2, 0, mostProbes, 'listeners besides with real WebRTC, all rooms together'),
  callers: whole(0, 0, mostCallers, 'people who call each other at random, with real WebRTC'),
  'talk-seconds': whole(10, 1, 3600, 'how long a random call lasts'),
  processes: whole(1, 1, 64, 'processes over which listeners and speakers are spread; one uses one core'),
  forwarded: flag('say that everybody has an address of their own; for a server that trusts this machine as a proxy'),
  'max-loss': threshold(100, 'fail when more than so many percent of the packets are lost'),
  'max-failures': threshold(100, 'fail when more than so many percent of the people did not get in, or heard nothing'),
  'max-join-p95': threshold(longestMs, 'fail when room:join takes more milliseconds than this at p95'),
  'max-first-audio-p95': threshold(longestMs, 'fail when the first audio takes more milliseconds than this at p95'),
  'max-latency-p95': threshold(
    longestMs,
    'fail when sound takes more milliseconds than this from mouth to listener at p95',
  ),
  'max-jitter-p95': threshold(longestMs, 'fail when jitter is above so many milliseconds at p95'),
  json: flag('print everything as JSON, and nothing else, on the standard output'),
  help: flag('print this'),
} as const satisfies Record<string, NumberOption | FlagOption | TextOption>;

type Options = typeof options;
type OptionName = keyof Options;

type Chosen = {
  readonly [name in OptionName]: Options[name] extends TextOption
    ? string | undefined
    : Options[name] extends FlagOption
      ? boolean
      : number | null;
};

export const thresholdNames = [
  'max-loss',
  'max-failures',
  'max-join-p95',
  'max-first-audio-p95',
  'max-latency-p95',
  'max-jitter-p95',
] as const;
export type ThresholdName = (typeof thresholdNames)[number];

export type LoadOptions = {
  readonly server: string;
  readonly mediaAddresses: readonly string[];
  /** Undefined: the server's own. */
  readonly metrics: string | undefined;
  readonly room: string | undefined;
  readonly rooms: number;
  readonly listeners: number;
  readonly speakers: number;
  readonly talking: number;
  readonly anyoneCanSpeak: boolean;
  readonly reopenMicrophones: boolean;
  readonly joinsPerSecond: number;
  readonly duration: number;
  readonly probes: number;
  readonly callers: number;
  readonly talkSeconds: number;
  readonly processes: number;
  readonly forwarded: boolean;
  /** What must not be exceeded; null where it does not matter. */
  readonly thresholds: Readonly<Record<ThresholdName, number | null>>;
  readonly json: boolean;
};

export type Parsed =
  | { readonly kind: 'run'; readonly options: LoadOptions }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/** What a command line asks for, or everything that is wrong with it at once. */
export const parseLoadOptions = (args: readonly string[]): Parsed => {
  let given: Record<string, string | boolean | undefined>;
  try {
    given = parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { kind }]) => [
          name,
          { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
        ]),
      ),
    }).values;
  } catch (error) {
    return { kind: 'wrong', problems: [error instanceof Error ? error.message : String(error)] };
  }
  if (given['help'] === true) return { kind: 'help', text: help() };
  const problems: string[] = [];
  // Each option has a value of its kind, which TypeScript cannot follow by name.
  const chosen = Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, readOption(name, option, given[name], problems)]),
  ) as Chosen;
  problems.push(...objectionsTo(chosen));
  const { server } = chosen;
  if (problems.length > 0 || server === undefined) return { kind: 'wrong', problems };
  return { kind: 'run', options: optionsOf(chosen, server) };
};

const readOption = (
  name: string,
  option: NumberOption | FlagOption | TextOption,
  given: string | boolean | undefined,
  problems: string[],
): string | boolean | number | null | undefined => {
  if (option.kind === 'flag') return given === true;
  if (option.kind === 'text') return typeof given === 'string' ? given : undefined;
  if (typeof given !== 'string') return option.standard;
  const number = Number(given);
  const isRight = given.trim() !== '' && number >= option.min && number <= option.max;
  if (isRight && (Number.isInteger(number) || !option.whole)) return number;
  problems.push(`--${name} takes a ${option.whole ? 'whole ' : ''}number from ${option.min} to ${option.max}`);
  return option.standard;
};

const objectionsTo = (chosen: Chosen): string[] => {
  const { server, room, metrics } = chosen;
  const rooms = chosen.rooms ?? 0;
  const speakers = chosen.speakers ?? 0;
  const listeners = rooms * (chosen.listeners ?? 0);
  const probes = chosen.probes ?? 0;
  const people = listeners + rooms * speakers + probes + (chosen.callers ?? 0);
  const addresses = addressesIn(chosen);
  const wrong: (readonly [boolean, string])[] = [
    [
      server === undefined,
      '--server is missing: say which server to load. Only one that is yours, or that you were asked to load.',
    ],
    [server !== undefined && !isUrl(server), '--server takes a URL that begins with http:// or https://'],
    [metrics !== undefined && !isUrl(metrics), '--metrics takes a URL that begins with http:// or https://'],
    [addresses.some((address) => isIP(address) === 0), '--media-address takes IP addresses, separated by commas'],
    [room !== undefined && !id.safeParse(room).success, '--room takes the id of a room: 22 letters, digits, - and _'],
    [room !== undefined && rooms !== 1, '--room and --rooms exclude each other'],
    [
      room === undefined && speakers === 0 && listeners + probes > 0,
      '--speakers 0 is for a --room in which others speak',
    ],
    [speakers > 0 && (chosen.talking ?? 0) > speakers, '--talking cannot be more than --speakers'],
    [(chosen.listeners ?? 0) + speakers > mostInRoom, `a room holds ${mostInRoom} people`],
    [listeners > mostListeners, `${listeners} listeners are more than one load makes: ${mostListeners}`],
    [people > mostPeople, `${people} people are more than one load makes: ${mostPeople}`],
    [people === 0, 'nobody would come: --listeners, --probes and --callers are 0'],
  ];
  return wrong.flatMap(([isWrong, problem]) => (isWrong ? [problem] : []));
};

const addressesIn = (chosen: Chosen): string[] =>
  chosen['media-address']?.split(',').filter((part) => part !== '') ?? [];

const isUrl = (given: string): boolean => URL.canParse(given) && /^https?:$/.test(new URL(given).protocol);

const optionsOf = (chosen: Chosen, server: string): LoadOptions => {
  // Every number but a threshold has its default.
  const number = (name: Exclude<OptionName, ThresholdName>): number => Number(chosen[name]);
  return {
    server,
    mediaAddresses: addressesIn(chosen),
    metrics: chosen.metrics,
    room: chosen.room,
    rooms: number('rooms'),
    listeners: number('listeners'),
    speakers: number('speakers'),
    talking: number('talking'),
    anyoneCanSpeak: chosen['anyone-can-speak'],
    reopenMicrophones: chosen['reopen-microphones'],
    joinsPerSecond: number('joins-per-second'),
    duration: number('duration'),
    probes: number('probes'),
    callers: number('callers'),
    talkSeconds: number('talk-seconds'),
    processes: number('processes'),
    forwarded: chosen.forwarded,
    // All of them are numbers or null.
    thresholds: Object.fromEntries(thresholdNames.map((name) => [name, chosen[name]])) as LoadOptions['thresholds'],
    json: chosen.json,
  };
};

const help = (): string => {
  const rows = Object.entries<NumberOption | FlagOption | TextOption>(options).map(
    ([name, option]): [string, string] => {
      if (option.kind === 'flag') return [`--${name}`, option.says];
      if (option.kind === 'text') return [`--${name} ${option.takes}`, option.says];
      const range = option.standard === null ? '' : ` (${option.standard}; ${option.min} to ${option.max})`;
      return [`--${name} N`, option.says + range];
    },
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    'npm run load -- --server URL [options]',
    '',
    'Puts a server under the load of real people: guests who sign in, listeners, speakers who talk in turns, and random callers.',
    'Prints how long joining and the first audio took, what was lost and late, what failed, and what that says about size.',
    'Exit code: 0; 1 when a threshold was exceeded; 2 for wrong options; 3 when there was nothing to measure; 4 when a threshold',
    'was exceeded and this machine was the limit, so that it says nothing about the server; 130 when it was interrupted.',
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
  ].join('\n');
};
