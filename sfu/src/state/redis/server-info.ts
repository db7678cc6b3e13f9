import { notCluster } from '../url-of-redis.ts';

/** The oldest Redis whose commands are all there: `SET … PXAT` came with 6.2. */
const oldest = [6, 2] as const;

/** What Redis says of itself: why it cannot serve, or what its operator should know. */
export type ServerVerdict = { readonly objection?: string; readonly warning?: string };

/** Judges the answer of INFO. */
export const judgeServer = (info: string): ServerVerdict => {
  const facts = new Map(info.split('\r\n').flatMap((line) => factOf(line)));
  const version = facts.get('redis_version') ?? '';
  if (facts.get('cluster_enabled') === '1') return { objection: `is a Redis Cluster, ${notCluster}` };
  if (facts.get('role') === 'slave') return { objection: 'is a replica, which cannot be written to' };
  if (isTooOld(version)) return { objection: `is version ${version}; ${oldest.join('.')} or newer is needed` };
  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  if (facts.get('maxmemory') !== '0' && policy !== 'noeviction')
    return { warning: `Redis drops keys when its memory is full (maxmemory-policy ${policy}); set it to noeviction` };
  return {};
};

const factOf = (line: string): [string, string][] => {
  const colon = line.indexOf(':');
  return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
};

const isTooOld = (version: string): boolean => {
  const [major = Number.NaN, minor = Number.NaN] = version.split('.').map(Number);
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
};
