import { isIPv4, isIPv6 } from 'node:net';

/**
 * The part of a network address that tells people apart: a whole IPv4 address, the first 64 bits of an IPv6 one. A
 * household or a machine gets a /64 at least and takes new addresses from it all day (RFC 4291 section 2.5.4, RFC 8981).
 * An IPv4 address written as IPv6 (RFC 4291 section 2.5.5.2), as a dual-stack socket reports it, counts as IPv4.
 * Undefined for what is no address.
 */
export const addressPart = (address: string): string | undefined => {
  if (isIPv4(address)) return address;
  const [withoutZone = ''] = address.split('%');
  if (!isIPv6(withoutZone)) return undefined;
  const groups = groupsOf(withoutZone);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
};

/** The eight 16-bit groups of an IPv6 address that is known to be one (RFC 4291 section 2.2). */
const groupsOf = (address: string): number[] => {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = [], tail] = hex.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const rest = tail ?? [];
  const zeros = new Array<string>(8 - head.length - rest.length).fill('0');
  return [...head, ...zeros, ...rest].map((group) => Number.parseInt(group, 16));
};
