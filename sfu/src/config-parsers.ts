import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { parseRedisUrl } from './state/url-of-redis.ts';

/** What a variable's text came to: its value, or what is wrong with it, in words that never repeat a secret. */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string };

export const whole =
  (min: number, max: number) =>
  (text: string): Parsed<number> => {
    const value = Number(text);
    return /^-?\d+$/.test(text) && value >= min && value <= max
      ? { value }
      : { problem: `must be a whole number from ${min} to ${max}` };
  };

export const listOf =
  (fits: (part: string) => boolean, what: string) =>
  (text: string): Parsed<readonly string[]> => {
    const parts = text.split(',').map((part) => part.trim());
    const given = parts.filter((part) => part !== '');
    const wrong = given.find((part) => !fits(part));
    return wrong === undefined ? { value: given } : { problem: `has "${wrong}", which is not ${what}` };
  };

/** Some of the words that there are, each once and in their own order. */
export const someOf =
  <Word extends string>(words: readonly Word[]) =>
  (text: string): Parsed<readonly Word[]> => {
    const parsed = listOf((part) => words.some((word) => word === part), `one of ${words.join(', ')}`)(text);
    return 'problem' in parsed ? parsed : { value: words.filter((word) => parsed.value.includes(word)) };
  };

export const isNetwork = (part: string): boolean => {
  const [address = '', bits, ...rest] = part.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  // A network of no bits is everybody, and then nobody's address is known.
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
};

/** An origin as browsers send it: scheme, host and port, and nothing after (RFC 6454 section 6.2). */
export const isOrigin = (part: string): boolean =>
  URL.canParse(part) && /^https?:$/.test(new URL(part).protocol) && new URL(part).origin === part;

export const readableFile = (text: string): Parsed<string | undefined> => {
  try {
    accessSync(text, constants.R_OK);
    return { value: text };
  } catch {
    return { problem: 'names a file that cannot be read' };
  }
};

/** Of STUN and TURN alike: a name or an address, and a port; no `//` (RFC 7064 and 7065, section 3.1). One wrong URL breaks every call. */
const server = String.raw`(\[[\dA-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?`;
export const stunUrl = new RegExp(`^stuns?:${server}$`);
export const turnUrl = new RegExp(String.raw`^turns?:${server}(\?transport=(udp|tcp))?$`);

export const flag = (text: string): Parsed<boolean> =>
  text === 'true' || text === 'false' ? { value: text === 'true' } : { problem: 'must be true or false' };

/** What the examples in deploy/ have in the place of a secret: everybody knows it. */
const placeholder = 'CHANGE-ME';
const isExample = 'is still that of an example; `openssl rand -hex 32` makes a secret';

/** A secret of at least so many bytes. */
export const secretOf =
  (bytes: number) =>
  (text: string): Parsed<string> => {
    if (text.includes(placeholder)) return { problem: isExample };
    return Buffer.byteLength(text) >= bytes ? { value: text } : { problem: `must have at least ${bytes} bytes` };
  };

/** `0.0.0.0` and `::` (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2): one can listen there, but nobody can be told to come there. */
const isUnspecified = (address: string): boolean => /^[0:.]+$/.test(address);

/** An address of this machine that others are told. */
export const tellableAddress = (text: string): Parsed<string> =>
  isIP(text) > 0 && !isUnspecified(text)
    ? { value: text }
    : { problem: 'must be the IP address by which the other nodes reach this machine' };

export type InternalAddress = { readonly host: string; readonly port: number };

export const internalAddress = (text: string): Parsed<InternalAddress> => {
  const [, bracketed, plain, port] = /^(?:\[([\dA-Fa-f:.]+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  if (isIP(host) === 0 || Number(port) > 65_535)
    return { problem: 'must be an IP address and a port such as 10.0.0.2:3001 or [fd00::2]:3001' };
  return isUnspecified(host)
    ? { problem: 'must name the one address by which the other nodes reach this machine, and not all that it has' }
    : { value: { host, port: Number(port) } };
};

export type PortRange = { readonly min: number; readonly max: number };

export const portRange = (text: string): Parsed<PortRange> => {
  const [, min, max] = (/^(\d{4,5})-(\d{4,5})$/.exec(text) ?? []).map(Number);
  return min !== undefined && max !== undefined && min >= 1024 && min <= max && max <= 65_535
    ? { value: { min, max } }
    : { problem: 'must be a range of ports such as 42000-42999, from 1024 to 65535' };
};

export const redisUrl = (text: string): Parsed<string> => {
  if (text.includes(placeholder)) return { problem: isExample };
  const target = parseRedisUrl(text);
  return 'problem' in target ? target : { value: text };
};
