import { isIPv4, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import type { types } from 'mediasoup';

export type PortRange = { readonly min: number; readonly max: number };

/** For ends of pipes (PIPE_PORTS): each router for an audience takes two. Several nodes on a machine find those that are free. */
export const standardPipePorts: PortRange = { min: 42_000, max: 42_999 };

/** What `os.networkInterfaces()` answers. */
export type NetworkInterfaces = { readonly [name: string]: readonly NetworkInterfaceInfo[] | undefined };

/**
 * Where a worker's WebRtcServer listens (MD-7): UDP and TCP on one port. Pure.
 *
 * With announced addresses (those that clients reach this machine by, IPv4 or IPv6) it listens on all interfaces, and
 * tells clients the first announced address of each family; `withFurtherAddresses` adds the others.
 * Without, it listens on every address of this machine, one by one, so that a laptop serves itself and its network
 * without any setting. Loopback comes last: to everybody else that candidate is their own machine.
 *
 * Throws when an announced address is no IP address: browsers differ in whether they resolve names in candidates.
 */
export const listenInfos = (options: {
  readonly port: number;
  readonly announced: readonly string[];
  readonly interfaces: NetworkInterfaces;
}): types.TransportListenInfo[] => {
  const places = options.announced.length > 0 ? announcedPlaces(options.announced) : ownPlaces(options.interfaces);
  return places.flatMap((place) => [
    { ...place, protocol: 'udp' as const, port: options.port },
    { ...place, protocol: 'tcp' as const, port: options.port },
  ]);
};

/**
 * Where this node's ends of pipes listen: at the address by which the other nodes reach this machine, or on all
 * interfaces where none has it and something in between translates it (NAT, a container). Where it can, it is bound to
 * that address alone: the other end takes packets from nowhere else. Pure.
 *
 * Throws when the address is no IP address, or the range of ports is none.
 */
export const pipeListenInfo = (options: {
  readonly address: string;
  readonly ports: PortRange;
  readonly interfaces: NetworkInterfaces;
}): types.TransportListenInfo => {
  const { address, ports, interfaces } = options;
  const { min, max } = ports;
  if (!isIPv4(address) && !isIPv6(address))
    throw new Error(`The pipe address "${address}" is not an IPv4 or IPv6 address.`);
  if (!(min >= 1 && min <= max && max <= 65_535))
    throw new Error(`The pipe ports ${min} to ${max} are no range of ports.`);
  const isOwn = Object.values(interfaces).some((entries) => entries?.some((entry) => entry.address === address));
  const any = isIPv6(address) ? '::' : '0.0.0.0';
  return {
    protocol: 'udp',
    portRange: { min, max },
    ...(isOwn ? { ip: address } : { ip: any, announcedAddress: address }),
    ...(isIPv6(address) ? ipv6Only : {}),
  };
};

/** Where the ends of pipes between two workers of this machine listen: nobody else reaches them. Pure. */
export const relayListenInfo = (ports: PortRange): types.TransportListenInfo => ({
  protocol: 'udp',
  ip: '127.0.0.1',
  portRange: { min: ports.min, max: ports.max },
});

type Place = Pick<types.TransportListenInfo, 'ip' | 'announcedAddress' | 'flags'>;

// Without `ipv6Only` the IPv6 socket would want the IPv4 port too, which the IPv4 socket has.
const ipv6Only = { flags: { ipv6Only: true } };

const announcedPlaces = (announced: readonly string[]): Place[] => {
  const { ipv4, ipv6 } = byFamily(announced);
  return [
    ...ipv4.slice(0, 1).map((announcedAddress) => ({ ip: '0.0.0.0', announcedAddress })),
    ...ipv6.slice(0, 1).map((announcedAddress) => ({ ip: '::', announcedAddress, ...ipv6Only })),
  ];
};

const ownPlaces = (interfaces: NetworkInterfaces): Place[] => {
  const addresses = Object.values(interfaces).flatMap((entries) => entries ?? []);
  const reachable = addresses.filter((entry) => !entry.internal && !isLinkLocal(entry.address));
  // Of the loopback range only the two well-known addresses: others are put there for a purpose of their own.
  const loopback = addresses.filter((entry) => entry.address === '127.0.0.1' || entry.address === '::1');
  const unique = new Map([...reachable, ...loopback].map((entry) => [entry.address, entry]));
  return [...unique.values()].map(({ address }) => (isIPv6(address) ? { ip: address, ...ipv6Only } : { ip: address }));
};

/** 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291): without the name of an interface nobody can reach the latter. */
const isLinkLocal = (address: string): boolean => address.startsWith('169.254.') || /^fe[89ab]/i.test(address);

const byFamily = (announced: readonly string[]): { ipv4: string[]; ipv6: string[] } => {
  const addresses = [...new Set(announced)];
  const strange = addresses.find((address) => !isIPv4(address) && !isIPv6(address));
  if (strange !== undefined) throw new Error(`The media address "${strange}" is not an IPv4 or IPv6 address.`);
  return { ipv4: addresses.filter(isIPv4), ipv6: addresses.filter(isIPv6) };
};

/**
 * The candidates of a transport, and the same once more for every further announced address of their family. One socket
 * cannot announce two addresses to mediasoup; but a candidate is only what clients are told (ICE lite, RFC 8445
 * section 2.5), so a machine that is reached by a public and by a private address offers both this way.
 */
export const withFurtherAddresses = (
  candidates: readonly types.IceCandidate[],
  announced: readonly string[],
): types.IceCandidate[] => {
  const families = Object.values(byFamily(announced));
  return candidates.flatMap((candidate) => {
    const family = families.find((addresses) => addresses[0] === candidate.address) ?? [];
    const further = family.slice(1).map((address, index) => ({
      ...candidate,
      address,
      ip: address,
      // The lowest byte of a priority is free for this: mediasoup's own candidates differ above it.
      priority: candidate.priority - index - 1,
    }));
    return [candidate, ...further];
  });
};
