import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { listenInfos, pipeListenInfo, withFurtherAddresses } from '../../src/media/listen-addresses.ts';

const entry = (address: string, internal = false): NetworkInterfaceInfo => {
  const common = { address, internal, netmask: '', mac: '', cidr: null };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
};

const laptop = {
  lo: [entry('127.0.0.1', true), entry('::1', true), entry('127.0.0.53', true)],
  wlan0: [entry('192.168.1.20'), entry('2001:db8::20'), entry('fe80::1234')],
  usb0: [entry('169.254.7.7')],
};

const places = (announced: string[]) =>
  listenInfos({ port: 40_000, announced, interfaces: laptop }).map(
    ({ protocol, ip, announcedAddress, port }) =>
      `${protocol} ${ip} ${port}${announcedAddress ? ` as ${announcedAddress}` : ''}`,
  );

describe('where a worker listens', () => {
  test('MD-7 without a setting: every address of the machine, UDP and TCP, loopback last', () => {
    expect(places([])).toEqual([
      'udp 192.168.1.20 40000',
      'tcp 192.168.1.20 40000',
      'udp 2001:db8::20 40000',
      'tcp 2001:db8::20 40000',
      'udp 127.0.0.1 40000',
      'tcp 127.0.0.1 40000',
      'udp ::1 40000',
      'tcp ::1 40000',
    ]);
  });

  test('MD-7 with announced addresses: on all interfaces, once for each family', () => {
    expect(places(['203.0.113.7', '2001:db8::7', '192.168.1.20', '203.0.113.7'])).toEqual([
      'udp 0.0.0.0 40000 as 203.0.113.7',
      'tcp 0.0.0.0 40000 as 203.0.113.7',
      'udp :: 40000 as 2001:db8::7',
      'tcp :: 40000 as 2001:db8::7',
    ]);
    expect(places(['203.0.113.7'])).toEqual(['udp 0.0.0.0 40000 as 203.0.113.7', 'tcp 0.0.0.0 40000 as 203.0.113.7']);
  });

  test('MD-7 an IPv6 socket leaves the IPv4 port alone', () => {
    const infos = listenInfos({ port: 1, announced: ['203.0.113.7', '2001:db8::7'], interfaces: {} });
    expect(infos.filter(({ flags }) => flags?.ipv6Only).map(({ ip }) => ip)).toEqual(['::', '::']);
  });

  test('MD-7 refuses a name as announced address', () => {
    expect(() => places(['media.example.org'])).toThrow('"media.example.org" is not an IPv4 or IPv6 address');
  });

  test('MD-7 tells clients the further announced addresses as candidates of lower priority', () => {
    const candidate = { foundation: 'udp', protocol: 'udp', port: 40_000, type: 'host' } as const;
    const own = [
      { ...candidate, address: '203.0.113.7', ip: '203.0.113.7', priority: 1000 },
      { ...candidate, address: '2001:db8::7', ip: '2001:db8::7', priority: 900 },
    ];
    const told = withFurtherAddresses(own, ['203.0.113.7', '2001:db8::7', '10.0.0.7', '10.1.0.7']);
    expect(told.map(({ address, ip, priority }) => [address, ip, priority])).toEqual([
      ['203.0.113.7', '203.0.113.7', 1000],
      ['10.0.0.7', '10.0.0.7', 999],
      ['10.1.0.7', '10.1.0.7', 998],
      ['2001:db8::7', '2001:db8::7', 900],
    ]);
    expect(withFurtherAddresses(own, [])).toEqual(own);
  });
});

describe('where pipes listen', () => {
  const ports = { min: 50_000, max: 50_099 };
  const place = (address: string) => pipeListenInfo({ address, ports, interfaces: laptop });

  test('MD-2 at the address itself where the machine has it, so that packets come from there', () => {
    expect(place('192.168.1.20')).toEqual({ protocol: 'udp', ip: '192.168.1.20', portRange: ports });
    expect(place('2001:db8::20')).toEqual({
      protocol: 'udp',
      ip: '2001:db8::20',
      portRange: ports,
      flags: { ipv6Only: true },
    });
  });

  test('MD-2 on all interfaces where another machine has the address and passes on what comes for it', () => {
    expect(place('203.0.113.7')).toEqual({
      protocol: 'udp',
      ip: '0.0.0.0',
      announcedAddress: '203.0.113.7',
      portRange: ports,
    });
    expect(place('2001:db8::77')).toMatchObject({ ip: '::', announcedAddress: '2001:db8::77' });
  });

  test('MD-2 a name, or ports that are no range, are refused', () => {
    expect(() => place('node.example')).toThrow(/pipe address "node.example"/);
    for (const [min, max] of [
      [0, 10],
      [20, 10],
      [65_000, 65_536],
    ] as const)
      expect(() => pipeListenInfo({ address: '127.0.0.1', ports: { min, max }, interfaces: laptop })).toThrow(
        `${min} to ${max}`,
      );
  });
});
