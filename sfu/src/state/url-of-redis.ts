/** Where Redis is, and how one gets in, in the words of ioredis' options. */
export type RedisAddress = {
  readonly host?: string;
  readonly port?: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
  readonly sentinels?: { host: string; port: number }[];
  /** The name that the Sentinels know the master by. */
  readonly name?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly sentinelTLS?: Record<string, never>;
  readonly enableTLSForSentinelMode?: boolean;
};

/** Where Redis is; or what is wrong with the URL, in words that never repeat it: it may hold a password. */
export type RedisTarget = { readonly address: RedisAddress } | { readonly problem: string };

const form =
  'must be redis://[user:password@]host[:port][/db], rediss://… for TLS, or redis+sentinel://[user:password@]host:port,host:port/master[/db]';

/**
 * Reads the URL of one Redis, or of the Sentinels that know where it is. The name and password of a Sentinel URL are those of
 * Redis; what the Sentinels themselves ask for comes as `?sentinelUsername=…&sentinelPassword=…`.
 */
export const parseRedisUrl = (url: string): RedisTarget => {
  const scheme = /^[^:]*/.exec(url)?.[0];
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return parseStandalone(url);
    case 'redis+sentinel':
    case 'rediss+sentinel':
      return parseSentinel(url);
    case 'redis+cluster':
    case 'rediss+cluster':
      return { problem: `is that of a Redis Cluster, ${notCluster}` };
    default:
      return { problem: form };
  }
};

export const notCluster =
  'whose slots a commit over a room, its deadlines and the index would cross; give one Redis, with replicas and Sentinel, or a managed one';

const parseStandalone = (url: string): RedisTarget => {
  if (/^[^/]*\/\/[^/]*,/.test(url))
    return { problem: `names several hosts; a Redis Cluster is not served, ${notCluster}` };
  if (!URL.canParse(url)) return { problem: form };
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(url);
  const [, db] = /^\/?(\d{0,4})$/.exec(pathname) ?? [];
  if (hostname === '' || db === undefined || search !== '' || hash !== '') return { problem: form };
  const credentials = credentialsOf(username, password);
  if (!credentials) return { problem: form };
  return {
    address: {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? defaultPort : Number(port),
      db: Number(db),
      ...credentials,
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    },
  };
};

const defaultPort = 6379;
const defaultSentinelPort = 26_379;

const sentinelUrl =
  /^(rediss?)\+sentinel:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?#]+)\/([^/?#]+)(?:\/(\d{1,4}))?(\?[^#]*)?$/;

const parseSentinel = (url: string): RedisTarget => {
  const [, scheme, username = '', password = '', hosts = '', name = '', db = '0', query = ''] =
    sentinelUrl.exec(url) ?? [];
  const sentinels = hosts.split(',').map(addressOf);
  const credentials = credentialsOf(username, password);
  const own = sentinelCredentialsOf(query);
  if (scheme === undefined || !credentials || !own || !sentinels.every((address) => address !== undefined))
    return { problem: form };
  const tls = scheme === 'rediss' ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {};
  return { address: { sentinels, name, db: Number(db), ...credentials, ...own, ...tls } };
};

const addressOf = (text: string): { host: string; port: number } | undefined => {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: port === undefined ? defaultSentinelPort : Number(port) };
};

const credentialsOf = (username: string, password: string): { username?: string; password?: string } | undefined => {
  try {
    return {
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    };
  } catch {
    // A percent sign that begins no escape: it has to be written as %25.
    return undefined;
  }
};

const sentinelCredentialsOf = (query: string): { sentinelUsername?: string; sentinelPassword?: string } | undefined => {
  const { sentinelUsername, sentinelPassword, ...others } = Object.fromEntries(new URLSearchParams(query));
  if (Object.keys(others).length > 0) return undefined;
  return {
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  };
};
