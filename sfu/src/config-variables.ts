import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { type LimitName, limitTable } from '@rostrum/shared/limits.ts';
import { type MatchFilter, matchFilters } from '@rostrum/shared/protocol/random.ts';
import {
  flag,
  type InternalAddress,
  internalAddress,
  isNetwork,
  isOrigin,
  listOf,
  type Parsed,
  type PortRange,
  portRange,
  readableFile,
  redisUrl,
  secretOf,
  someOf,
  stunUrl,
  tellableAddress,
  turnUrl,
  whole,
} from './config-parsers.ts';
import { standardPipePorts } from './media/listen-addresses.ts';

export type Variable<Value> = {
  readonly name: string;
  /** What it is set to when it is absent, as the table shows it. */
  readonly standard: string;
  readonly says: string;
  readonly absent: () => Value;
  readonly parse: (text: string) => Parsed<Value>;
};

const variable = <Value>(definition: Variable<Value>): Variable<Value> => definition;

/** Bytes of the key for HS256: as many as its hash has (RFC 7518 section 3.2). */
const secretBytes = 32;
/** Bytes of the key for HMAC-SHA1: 128 bits of strength, the least that NIST SP 800-131A still accepts. */
const turnSecretBytes = 16;

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

const none = (): undefined => undefined;

/** Every variable of the environment that Rostrum reads, but for the limits. */
export const variables = {
  port: variable({
    name: 'PORT',
    standard: '3000',
    says: 'Port of HTTP and of the socket.',
    absent: () => 3000,
    parse: whole(0, 65_535),
  }),
  host: variable({
    name: 'HOST',
    standard: '`0.0.0.0`',
    says: 'Address that it listens on; `::` takes IPv6 too.',
    absent: () => '0.0.0.0',
    parse: (text) =>
      isIP(text) > 0 || text === 'localhost'
        ? { value: text }
        : { problem: 'must be an IP address of this machine, or localhost' },
  }),
  publicUrl: variable<string | undefined>({
    name: 'PUBLIC_URL',
    standard: "the request's own",
    says: 'Where people reach it, for links; behind a proxy.',
    absent: none,
    parse: (text) =>
      isOrigin(text) ? { value: text } : { problem: 'must be an origin such as https://rooms.example' },
  }),
  mediaPort: variable({
    name: 'MEDIA_PORT',
    standard: '40000',
    says: 'UDP and TCP port of the first media worker; the others have the ports after it.',
    absent: () => 40_000,
    parse: whole(1024, 65_535),
  }),
  mediaAddresses: variable<readonly string[]>({
    name: 'MEDIA_ADDRESS',
    standard: "those of the machine's interfaces",
    says: 'Addresses by which clients reach this machine, separated by commas, IPv4 and IPv6.',
    absent: () => [],
    parse: listOf((part) => isIP(part) > 0, 'an IP address'),
  }),
  workers: variable({
    name: 'WORKERS',
    standard: "the machine's cores",
    says: 'Media workers, one for each core.',
    absent: () => availableParallelism(),
    parse: whole(1, 256),
  }),
  dataDir: variable({
    name: 'DATA_DIR',
    standard: '`./data`',
    says: 'Folder of records and secrets.',
    absent: () => './data',
    parse: (text) => (text.includes('\0') ? { problem: 'must be a path' } : { value: text }),
  }),
  authSecret: variable<string | undefined>({
    name: 'AUTH_SECRET',
    standard: 'made at the first start, kept in `DATA_DIR`',
    says: `Secret that signs tokens, at least ${secretBytes} bytes. The same on every node.`,
    absent: none,
    parse: secretOf(secretBytes),
  }),
  allowedOrigins: variable<readonly string[]>({
    name: 'ALLOWED_ORIGINS',
    standard: 'its own alone',
    says: 'Other origins whose pages may use it, separated by commas.',
    absent: () => [],
    parse: listOf(isOrigin, 'an origin such as https://rooms.example'),
  }),
  trustedProxies: variable<readonly string[]>({
    name: 'TRUSTED_PROXIES',
    standard: 'none',
    says: 'Addresses and networks whose forwarded headers are believed, separated by commas.',
    absent: () => [],
    parse: listOf(isNetwork, 'an IP address or a network such as 10.0.0.0/8'),
  }),
  tlsCertFile: variable<string | undefined>({
    name: 'TLS_CERT_FILE',
    standard: 'none: plain HTTP',
    says: 'Certificate chain in PEM; together with `TLS_KEY_FILE`.',
    absent: none,
    parse: readableFile,
  }),
  tlsKeyFile: variable<string | undefined>({
    name: 'TLS_KEY_FILE',
    standard: 'none',
    says: 'Private key of the certificate in PEM.',
    absent: none,
    parse: readableFile,
  }),
  stunUrls: variable<readonly string[]>({
    name: 'STUN_URLS',
    standard: 'none',
    says: 'STUN servers, by which the two people of a call learn their public addresses, such as `stun:turn.example:3478`, separated by commas. A TURN server tells them too.',
    absent: () => [],
    parse: listOf((part) => stunUrl.test(part), 'a URL such as stun:turn.example:3478'),
  }),
  turnUrls: variable<readonly string[]>({
    name: 'TURN_URLS',
    standard: 'none',
    says: 'TURN servers for people whom nothing else reaches, such as `turn:turn.example:3478`, separated by commas. Name each way in: UDP, `?transport=tcp`, and `turns:turn.example:443?transport=tcp`.',
    absent: () => [],
    parse: listOf((part) => turnUrl.test(part), 'a URL such as turn:turn.example:3478?transport=udp'),
  }),
  turnSecret: variable<string | undefined>({
    name: 'TURN_SECRET',
    standard: 'none',
    says: `Secret shared with the TURN server (coturn's \`static-auth-secret\`), at least ${turnSecretBytes} bytes; together with \`TURN_URLS\`.`,
    absent: none,
    // Anybody with a credential can try secrets against it at home, so a short one is no secret.
    parse: secretOf(turnSecretBytes),
  }),
  matchFilters: variable<readonly MatchFilter[]>({
    name: 'RANDOM_CALLS_FILTERS',
    standard: 'none',
    says: `What people may filter by in random calls: ${matchFilters.join(', ')}, separated by commas.`,
    absent: () => [],
    parse: someOf(matchFilters),
  }),
  callsRelayOnly: variable({
    name: 'CALLS_RELAY_ONLY',
    standard: '`false`',
    says: '`true`: random calls go through the TURN server, so that nobody learns the network address of the other; needs `TURN_URLS`.',
    absent: () => false,
    parse: flag,
  }),
  callsSfuFallback: variable({
    name: 'CALLS_SFU_FALLBACK',
    standard: '`false`',
    says: '`true`: a call that connects in no other way goes through the media workers, as a last resort.',
    absent: () => false,
    parse: flag,
  }),
  plans: variable({
    name: 'PLANS',
    standard: '`false`',
    says: '`true`: what people may do depends on their plan, free or premium; calls have a length then.',
    absent: () => false,
    parse: flag,
  }),
  redisUrl: variable<string | undefined>({
    name: 'REDIS_URL',
    standard: 'none: one node by itself',
    says: 'The Redis that the nodes of a cluster share: `redis://`, `rediss://` or `redis+sentinel://`.',
    absent: none,
    parse: redisUrl,
  }),
  redisPrefix: variable({
    name: 'REDIS_PREFIX',
    standard: '`rostrum`',
    says: 'What every key in Redis begins with.',
    absent: () => 'rostrum',
    parse: (text) =>
      /^[\w.-]{1,64}$/.test(text) ? { value: text } : { problem: 'must be 1 to 64 letters, digits, points or dashes' },
  }),
  nodeName: variable<string | undefined>({
    name: 'NODE_NAME',
    standard: "the machine's name and `PORT`",
    says: 'Name of this node, another one on every node of a cluster.',
    absent: none,
    parse: (text) =>
      /^[\w.:-]{1,64}$/.test(text)
        ? { value: text }
        : { problem: 'must be 1 to 64 letters, digits, points, colons or dashes' },
  }),
  internalAddress: variable<InternalAddress>({
    name: 'INTERNAL_ADDRESS',
    standard: '`127.0.0.1:0`',
    says: 'IP address and port at which the other nodes of a cluster reach this one; port 0 takes a free one. Never to be reached from outside.',
    absent: () => ({ host: '127.0.0.1', port: 0 }),
    parse: internalAddress,
  }),
  pipeAddress: variable({
    name: 'PIPE_ADDRESS',
    standard: '`127.0.0.1`',
    says: 'IP address of this machine over which media goes between the nodes of a cluster.',
    absent: () => '127.0.0.1',
    parse: tellableAddress,
  }),
  pipePorts: variable<PortRange>({
    name: 'PIPE_PORTS',
    standard: `\`${standardPipePorts.min}-${standardPipePorts.max}\``,
    says: 'UDP ports for media between nodes, and between the media workers of one; one for each end of a pipe.',
    absent: () => standardPipePorts,
    parse: portRange,
  }),
  logLevel: variable({
    name: 'LOG_LEVEL',
    standard: '`info`',
    says: `How much is logged: ${logLevels.join(', ')}.`,
    absent: () => 'info',
    parse: (text) =>
      logLevels.includes(text) ? { value: text } : { problem: `must be one of ${logLevels.join(', ')}` },
  }),
};

export const limitNames = Object.keys(limitTable) as LimitName[];

/** The variable of a limit: `roomsPerDay` is `LIMIT_ROOMS_PER_DAY`. */
export const limitVariable = (name: LimitName): string =>
  `LIMIT_${name.replaceAll(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;

export const parseLimit = (name: LimitName, text: string): Parsed<number> => {
  const { min, max } = limitTable[name];
  return whole(min, max)(text);
};
