import { defaultLimits, type LimitName, type Limits } from '@rostrum/shared/limits.ts';
import type { MatchFilter } from '@rostrum/shared/protocol/random.ts';
import type { InternalAddress, Parsed, PortRange } from './config-parsers.ts';
import { meantBy } from './config-spelling.ts';
import { limitNames, limitVariable, parseLimit, type Variable, variables } from './config-variables.ts';

export type Config = {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string | undefined;
  readonly mediaPort: number;
  readonly mediaAddresses: readonly string[];
  readonly workers: number;
  /** UDP ports of what goes between workers, and between nodes. */
  readonly pipePorts: PortRange;
  readonly dataDir: string;
  readonly authSecret: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly stunUrls: readonly string[];
  readonly turn: { readonly urls: readonly string[]; readonly secret: string } | undefined;
  /** RQ-3: what people may filter by, in the order in which it is relaxed. */
  readonly matchFilters: readonly MatchFilter[];
  /** RD-12: random calls go through the relay, whatever people choose. */
  readonly callsRelayOnly: boolean;
  /** RD-4: the SFU carries a call that connects in no other way. */
  readonly callsSfuFallback: boolean;
  /** PL-1, RD-8 */
  readonly plans: boolean;
  /** OP-4: undefined for one node by itself. */
  readonly cluster: ClusterConfig | undefined;
  readonly logLevel: string;
  readonly limits: Limits;
};

export type ClusterConfig = {
  readonly redisUrl: string;
  readonly redisPrefix: string;
  /** Undefined: named by its machine and port. */
  readonly nodeName: string | undefined;
  readonly internalAddress: InternalAddress;
  readonly pipeAddress: string;
};

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration from the environment, or everything that is wrong with it at once. An empty variable counts as absent. */
export const loadConfig = (env: Environment): LoadedConfig => {
  const problems: string[] = [];
  const take = <Value>({ name, absent, parse }: Variable<Value>): Value =>
    read(env[name], { name, absent, parse }, problems);
  const { tlsCertFile, tlsKeyFile, turnUrls, turnSecret, redisUrl, ...plain } = variables;
  const certFile = take(tlsCertFile);
  const keyFile = take(tlsKeyFile);
  const urls = take(turnUrls);
  const secret = take(turnSecret);
  const redis = take(redisUrl);
  const { redisPrefix, nodeName, internalAddress, pipeAddress } = plain;
  const cluster = {
    redisPrefix: take(redisPrefix),
    nodeName: take(nodeName),
    internalAddress: take(internalAddress),
    pipeAddress: take(pipeAddress),
  };
  const config: Config = {
    port: take(plain.port),
    host: take(plain.host),
    publicUrl: take(plain.publicUrl),
    mediaPort: take(plain.mediaPort),
    mediaAddresses: take(plain.mediaAddresses),
    workers: take(plain.workers),
    pipePorts: take(plain.pipePorts),
    dataDir: take(plain.dataDir),
    authSecret: take(plain.authSecret),
    allowedOrigins: take(plain.allowedOrigins),
    trustedProxies: take(plain.trustedProxies),
    stunUrls: take(plain.stunUrls),
    matchFilters: take(plain.matchFilters),
    callsRelayOnly: take(plain.callsRelayOnly),
    callsSfuFallback: take(plain.callsSfuFallback),
    plans: take(plain.plans),
    cluster: redis === undefined ? undefined : { redisUrl: redis, ...cluster },
    logLevel: take(plain.logLevel),
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    turn: urls.length > 0 && secret !== undefined ? { urls, secret } : undefined,
    limits: takeLimits(env, problems),
  };
  if (Boolean(env['TLS_CERT_FILE']) !== Boolean(env['TLS_KEY_FILE']))
    problems.push('TLS_CERT_FILE and TLS_KEY_FILE go together: set both or neither');
  if (urls.length > 0 !== (secret !== undefined))
    problems.push('TURN_URLS and TURN_SECRET go together: set both or neither');
  if (config.callsRelayOnly && urls.length === 0)
    problems.push('CALLS_RELAY_ONLY needs a relay: set TURN_URLS and TURN_SECRET');
  problems.push(...contradictions(config), ...misspelt(env));
  return problems.length === 0 ? { ok: true, config } : { ok: false, problems };
};

/** Where people reach the server, for links that are printed. `port` is the one that it listens on. */
export const publicUrlOf = ({ publicUrl, tls }: Config, port: number): string =>
  publicUrl ?? `${tls ? 'https' : 'http'}://localhost:${port}`;

const read = <Value>(
  text: string | undefined,
  { name, absent, parse }: { name: string; absent: () => Value; parse: (text: string) => Parsed<Value> },
  problems: string[],
): Value => {
  if (text === undefined || text.trim() === '') return absent();
  const parsed = parse(text.trim());
  if ('value' in parsed) return parsed.value;
  problems.push(`${name} ${parsed.problem}`);
  return absent();
};

const takeLimits = (env: Environment, problems: string[]): Limits => {
  const limits: Record<LimitName, number> = { ...defaultLimits };
  for (const name of limitNames) {
    const variable = limitVariable(name);
    const absent = () => defaultLimits[name];
    limits[name] = read(env[variable], { name: variable, absent, parse: (text) => parseLimit(name, text) }, problems);
  }
  return limits;
};

/** Values that are fine each by itself and make no sense together. */
const contradictions = (config: Config): string[] => {
  const { port, mediaPort, workers, limits } = config;
  return [
    ...(mediaPort + workers > 65_536 ? ['MEDIA_PORT and WORKERS need ports past 65535'] : []),
    ...(port >= mediaPort && port < mediaPort + workers
      ? ['PORT lies among the ports of the media workers (MEDIA_PORT and up)']
      : []),
    ...contradictionsOfClusters(config),
    ...below(limits, 'tokenWarningMs', 'tokenLifetimeMs'),
    // A guest shows up at least as often as their token is renewed; one who is forgotten earlier loses a session that holds.
    ...atMost(limits, 'tokenLifetimeMs', 'guestIdleMs'),
    ...below(limits, 'roomEndWarningMs', 'roomLifetimeMs'),
    ...below(limits, 'speakingOffDbov', 'speakingOnDbov'),
    ...(limits.audienceListedMax === 0 ? [] : below(limits, 'audienceListedAgain', 'audienceListedMax')),
    ...contradictionsOfCalls(config),
  ];
};

const contradictionsOfClusters = ({ cluster, port, mediaPort, workers, pipePorts, limits }: Config): string[] => [
  ...(cluster ? contradictionsOfInternal(cluster.internalAddress.port, { port, mediaPort, workers }) : []),
  // A node by itself needs a few of them, and finds those that are free.
  ...(cluster && pipePorts.min < mediaPort + workers && pipePorts.max >= mediaPort
    ? ['PIPE_PORTS overlaps the ports of the media workers (MEDIA_PORT and up)']
    : []),
  // A node that shows itself less often than twice in that time is taken for gone by one beat that is late.
  ...(limits.heartbeatMs * 2 <= limits.nodeSilentMs
    ? []
    : [`${limitVariable('nodeSilentMs')} must be at least twice ${limitVariable('heartbeatMs')}`]),
];

/** 0 takes a free port. */
const contradictionsOfInternal = (
  internal: number,
  { port, mediaPort, workers }: Pick<Config, 'port' | 'mediaPort' | 'workers'>,
): string[] => [
  ...(internal !== 0 && internal === port ? ['INTERNAL_ADDRESS has the port of PORT: give it one of its own'] : []),
  ...(internal >= mediaPort && internal < mediaPort + workers
    ? ['INTERNAL_ADDRESS has a port of the media workers (MEDIA_PORT and up)']
    : []),
];

const contradictionsOfCalls = ({ limits, matchFilters, plans }: Config): string[] => [
  // Whoever is held for longer than they may wait is taken out without having been matched with anybody.
  ...below(limits, 'languageHoldMs', 'queueWaitMs'),
  ...below(limits, 'repeatHoldMs', 'queueWaitMs'),
  ...(matchFilters.length > 0 ? below(limits, 'filterRelaxMs', 'queueWaitMs') : []),
  // Connecting and coming back take a few commands, and one of those may take so long.
  ...below(limits, 'unavailableMs', 'connectMs'),
  ...below(limits, 'unavailableMs', 'sfuConnectMs'),
  ...below(limits, 'unavailableMs', 'resumeMs'),
  ...below(limits, 'connectMs', 'callMaxMs'),
  // The chat of a call goes with the call.
  ...atMost(limits, 'callMessagesKeptMs', 'guestCallsKeptMs'),
  ...(plans ? contradictionsOfPlans(limits) : []),
];

const contradictionsOfPlans = (limits: Limits): string[] => [
  ...below(limits, 'callWarningMs', 'freeCallMs'),
  ...below(limits, 'callWarningMs', 'callExtensionMs'),
  ...atMost(limits, 'freeCallMs', 'premiumCallMs'),
  ...atMost(limits, 'premiumCallMs', 'callMaxMs'),
];

const below = (limits: Limits, one: LimitName, other: LimitName): string[] =>
  limits[one] < limits[other] ? [] : [`${limitVariable(one)} must be less than ${limitVariable(other)}`];

const atMost = (limits: Limits, one: LimitName, other: LimitName): string[] =>
  limits[one] <= limits[other] ? [] : [`${limitVariable(other)} must be at least ${limitVariable(one)}`];

/** A misspelt variable would otherwise change nothing, and nobody would notice. */
const misspelt = (env: Environment): string[] => {
  const limits = limitNames.map(limitVariable);
  const known = [...Object.values(variables).map(({ name }) => name), ...limits];
  return Object.entries(env)
    .filter(([name, text]) => text?.trim() && !known.includes(name))
    .flatMap(([name]) => {
      const meant = meantBy(name, known);
      if (meant) return [`${name} is not a variable that there is; did you mean ${meant}?`];
      return name.startsWith('LIMIT_')
        ? [`${name} is not a limit that there is; the table in README.md lists them`]
        : [];
    });
};
