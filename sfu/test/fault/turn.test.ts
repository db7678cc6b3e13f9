import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { hidesAddress } from '@rostrum/shared/call/sdp.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createIceServers } from '../../src/calls/ice-servers.ts';
import { newId } from '../../src/runtime/ids.ts';
import { until } from '../media/harness.ts';
import { createNetwork, type Network } from '../support/namespaces.ts';
import { type FarCall, startCall } from '../support/turn-call.ts';
import { streamLink, TurnClient, type TurnCredentials, type TurnLink, udpLink } from '../support/turn-client.ts';
import { FarMachine } from '../support/turn-far-machine.ts';
import { attributeOf, attributes, methods } from '../support/turn-messages.ts';
import type { PeerEnd, Signal } from '../support/turn-peer.ts';
import { configurationFile, startTurnServer, type TurnServer } from '../support/turn-server.ts';

const secret = 'a secret of the tests, 32 bytes.';
/** Of the configuration that is given to operators. */
const [turnPort, turnsPort, userQuota] = [3478, 443, 40];
/** A port at which things listen here that nobody outside is to reach. */
const innerPort = 9999;
const inner = '10.66.0.1';

/** Old versions of TLS, at a level at which it is not this end that refuses them. */
const oldTls = (['TLSv1', 'TLSv1.1'] as const).map((version) => ({
  minVersion: version,
  maxVersion: version,
  ciphers: 'DEFAULT@SECLEVEL=0',
}));
type Place = 'ana' | 'ben' | 'relay';
let network: Network<Place>;
let server: TurnServer;
let ana: FarMachine;
let ben: FarMachine;
let relay: FarMachine;
const cleanUps: (() => unknown)[] = [];
const clients: TurnClient[] = [];

beforeAll(async () => {
  network = await createNetwork(['ana', 'ben', 'relay']);
  await network.addAddress('relay', `${inner}/32`);
  server = await startTurnServer(network, 'relay', { secret });
  [ana, ben, relay] = await Promise.all([
    FarMachine.start(network, 'ana'),
    FarMachine.start(network, 'ben'),
    FarMachine.start(network, 'relay'),
  ]);
});

afterAll(async () => {
  await server?.stop();
  await network?.remove();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const undo of cleanUps.splice(0).reverse()) await undo();
  await network.allowAll();
});

const urlsOf = (...transports: ('udp' | 'tcp')[]): string[] =>
  transports.map((transport) => `turn:${network.host('relay').ipv4}:${turnPort}?transport=${transport}`);

/** What the server of Rostrum would give this person, by default a new one. */
const iceServersFor = (
  urls: string[],
  { userId = newId(), at = Date.now(), under = secret }: { userId?: string; at?: number; under?: string } = {},
) => createIceServers({ stunUrls: [], turn: { urls, secret: under }, clock: { now: () => at } })(userId);

const credentialsFor = (who: Parameters<typeof iceServersFor>[1] = {}): TurnCredentials => {
  const [made] = iceServersFor(urlsOf('udp'), who);
  return { username: made?.username ?? '', credential: made?.credential ?? '' };
};

const client = (link: TurnLink, credentials?: TurnCredentials): TurnClient => {
  const made = new TurnClient(link, credentials);
  clients.push(made);
  return made;
};

/** Each client has a port of its own for good: an allocation outlives its client, and belongs to the port (RFC 8656 section 7.2, 437). */
let nextPort = 20_000;

const udpClient = async (credentials?: TurnCredentials, port = turnPort): Promise<TurnClient> => {
  nextPort += 1;
  const socket = await ana.udp({ address: network.host('ana').ipv4, port: nextPort });
  return client(udpLink(socket, { address: network.host('relay').ipv4, port }), credentials);
};

/** A second server, whose configuration lacks these lines: what it lets happen is what they prevent. */
const openServer = async (
  without: RegExp,
  options: readonly string[] = [],
): Promise<{ port: number; tlsPort: number }> => {
  const folder = await mkdtemp(join(tmpdir(), 'rostrum-turn-open-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  const configuration = join(folder, 'turnserver.conf');
  const text = await readFile(configurationFile, 'utf8');
  const rest = text.replaceAll(without, '');
  expect(rest.length).toBeLessThan(text.length);
  await writeFile(configuration, rest);
  const [port, tlsPort] = [3480, 4430];
  const ports = [`--listening-port=${port}`, `--tls-listening-port=${tlsPort}`];
  const open = await startTurnServer(network, 'relay', { secret, configuration, options: [...ports, ...options] });
  cleanUps.push(() => open.stop());
  return { port, tlsPort };
};

/** As a browser, or in some other way. Not connected yet. */
const tlsSocket = async (port: number, otherWay: SecureContextOptions = {}): Promise<TLSSocket> => {
  const to = { address: network.host('relay').ipv4, port };
  // The certificate is the test's own, so nobody vouches for it.
  const socket = connectTls({ socket: await ana.tcp(to), rejectUnauthorized: false, ...otherWay });
  cleanUps.push(() => socket.destroy());
  return socket;
};

const tlsTo = async (port: number, otherWay?: SecureContextOptions): Promise<TLSSocket> => {
  const socket = await tlsSocket(port, otherWay);
  await once(socket, 'secureConnect');
  return socket;
};

describe('A call through the relay', { timeout: 30_000 }, () => {
  const tones = [440, 700] as const;

  const call = async (urls: string[], relayOnly: boolean): Promise<FarCall> => {
    // Neither reaches the other, as behind two firewalls.
    await network.forbid('ana', 'ben');
    const [one, other] = tones.map((hertz) => ({ hertz, relayOnly, iceServers: iceServersFor(urls) }));
    if (!one || !other) throw new Error('a call has two sides');
    const made = await startCall(network, ['ana', 'ben'], [one, other]);
    cleanUps.push(() => made.stop());
    return made;
  };

  /** Waits until each hears the other, and answers both ends of both pairs in use. */
  const heard = async (made: FarCall): Promise<PeerEnd[]> => {
    const states = await until(
      'each hears the other',
      async () => {
        const both = await made.states();
        const hear = both.every(({ hears = 0 }, side) => Math.abs(hears - (tones[1 - side] ?? 0)) < 25);
        return hear && both.every(({ pair }) => pair) && both;
      },
      20_000,
    );
    expect(states.map(({ connection }) => connection)).toEqual(['connected', 'connected']);
    return states.flatMap(({ pair }) => (pair ? [pair.local, pair.remote] : []));
  };

  /** By what each of the two reaches the relay. */
  const protocols = ([one, , other]: PeerEnd[]): (string | undefined)[] => [one?.relayProtocol, other?.relayProtocol];
  const textOf = (signal: Signal): string =>
    'candidate' in signal ? signal.candidate.candidate : signal.description.sdp;

  it('RD-4 RD-12 SE-3 goes over TURN and UDP, and tells no address but the relay’s', async () => {
    const made = await call(urlsOf('udp'), true);
    const ends = await heard(made);
    expect(ends.map(({ type, address }) => `${type} ${address}`)).toEqual(
      ends.map(() => `relay ${network.host('relay').ipv4}`),
    );
    expect(protocols(ends)).toEqual(['udp', 'udp']);
    const texts = made.signals().map(textOf);
    expect(texts.some((text) => text.startsWith('candidate:'))).toBe(true);
    expect(texts.filter((text) => !hidesAddress(text))).toEqual([]);
    const own = [network.host('ana'), network.host('ben')].flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
    expect(texts.filter((text) => own.some((address) => text.includes(address)))).toEqual([]);
  });

  it('RD-4 RD-12 SE-3 goes over TURN and TCP', async () => {
    const ends = await heard(await call(urlsOf('tcp'), true));
    expect(ends.map(({ type }) => type)).toEqual(ends.map(() => 'relay'));
    expect(protocols(ends)).toEqual(['tcp', 'tcp']);
  });

  it('RD-4 takes the relay by itself where no other way is left, and UDP before TCP', async () => {
    const ends = await heard(await call(urlsOf('udp', 'tcp'), false));
    expect(ends.some(({ type }) => type === 'relay')).toBe(true);
    expect(ends.map(({ relayProtocol }) => relayProtocol).filter((protocol) => protocol !== undefined)).not.toContain(
      'tcp',
    );
  });

  it('RD-4 takes TCP to the relay where UDP is forbidden', async () => {
    await network.forbid('ana', 'relay', ['-p', 'udp']);
    await network.forbid('ben', 'relay', ['-p', 'udp']);
    const ends = await heard(await call(urlsOf('udp', 'tcp'), false));
    expect(ends.map(({ type }) => type)).toEqual(ends.map(() => 'relay'));
    expect(protocols(ends)).toEqual(['tcp', 'tcp']);
  });
});

describe('Who may use the relay', () => {
  const allocation = async (credentials?: TurnCredentials): Promise<number> => {
    const { code } = await (await udpClient(credentials)).allocate();
    return code;
  };

  it('SE-3 people with credentials of our own making, over UDP, TCP and TLS', async () => {
    expect(await allocation(credentialsFor())).toBe(200);
    const at = network.host('relay').ipv4;
    const tcp = client(streamLink(await ana.tcp({ address: at, port: turnPort })), credentialsFor());
    expect((await tcp.allocate()).code).toBe(200);
    const tls = client(streamLink(await tlsTo(turnsPort)), credentialsFor());
    expect([(await tls.allocate()).code, tls.relayed?.address]).toEqual([200, at]);
  });

  it('SE-3 nobody without credentials, nor with an expired, a wrong or a foreign one', async () => {
    const [mine, hers] = [credentialsFor(), credentialsFor()];
    expect(await allocation()).toBe(401);
    // Made two hours ago, for one.
    expect(await allocation(credentialsFor({ at: Date.now() - 2 * 60 * 60 * 1000 }))).toBe(401);
    expect(await allocation(credentialsFor({ under: 'another secret of 32 bytes here.' }))).toBe(401);
    expect(await allocation({ ...mine, credential: hers.credential })).toBe(401);
    expect(await allocation({ ...mine, credential: '' })).toBe(401);
    // The time put off, and the person exchanged.
    expect(await allocation({ ...mine, username: mine.username.replace(/^\d+/, (at) => `${Number(at) + 1}`) })).toBe(
      401,
    );
    expect(await allocation({ ...mine, username: mine.username.replace(/:.*/, `:${newId()}`) })).toBe(401);
    expect(await allocation({ username: 'nobody', credential: secret })).toBe(401);
  });

  it('SE-3 nobody uses what another one allocated', async () => {
    const one = await udpClient(credentialsFor());
    expect((await one.allocate()).code).toBe(200);
    one.credentials = credentialsFor();
    // RFC 8656 section 7.2: 441 is for credentials of another; coturn may also find the integrity wrong.
    expect([401, 441]).toContain((await one.createPermission(network.host('ben').ipv4)).code);
    expect([401, 441]).toContain((await one.release()).code);
  });

  it('SE-3 a call outlasts the credentials that it began with, and none begins with them', {
    timeout: 30_000,
  }, async () => {
    const hour = 60 * 60 * 1000;
    const credentials = credentialsFor({ at: Date.now() + 5000 - hour });
    const expiry = Number(credentials.username.split(':')[0]) * 1000;
    const one = await udpClient(credentials);
    expect((await one.allocate()).code).toBe(200);
    await until('they have expired', () => Date.now() > expiry + 1000, 20_000);
    expect((await one.createPermission(network.host('ben').ipv4)).code).toBe(200);
    expect(await allocation(credentials)).toBe(401);
  });

  it('SE-3 a person has as many allocations as the quota says, and the next person theirs', async () => {
    const userId = newId();
    // Credentials of different times are one person's all the same.
    const own = Array.from({ length: userQuota + 1 }, (_, index) =>
      credentialsFor({ userId, at: Date.now() - index * 1000 }),
    );
    const all = await Promise.all(own.map((credentials) => udpClient(credentials)));
    const codes: number[] = [];
    for (const one of all) codes.push((await one.allocate()).code);
    expect(codes).toEqual([...Array.from({ length: userQuota }, () => 200), 486]);
    expect(await allocation(credentialsFor())).toBe(200);
    expect((await all[0]?.release())?.code).toBe(200);
    // It is let go a moment later.
    await until('the place is free', async () => (await allocation(credentialsFor({ userId }))) === 200);
    for (const one of all.slice(1, userQuota)) await one.release();
  });
});

/** Addresses that a relay must not reach: at the ends of each range, and what is worst in it. */
const forbidden = {
  4: [
    ['this network', '0.0.0.0', '0.0.0.1', '0.255.255.255'],
    ['loopback', '127.0.0.0', '127.0.0.1', '127.255.255.255'],
    ['private', '10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
    ['link-local', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
    ['behind a carrier’s NAT', '100.64.0.0', '100.100.100.200', '100.127.255.255'],
    ['multicast', '224.0.0.0', '224.0.0.251', '239.255.255.255'],
    ['reserved and broadcast', '240.0.0.0', '255.255.255.255'],
    ['protocol assignments', '192.0.0.0', '192.0.0.192', '192.0.0.255'],
    ['documentation', '192.0.2.0', '192.0.2.255', '198.51.100.0', '198.51.100.255', '203.0.113.0', '203.0.113.255'],
    ['benchmarks', '198.18.0.0', '198.19.255.255'],
    ['6to4 relays', '192.88.99.0', '192.88.99.255'],
    ['a cloud’s own', '168.63.129.16'],
  ],
  6: [
    ['unspecified and loopback', '::', '::1'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1', '::ffff:127.0.0.0', '::ffff:0.0.0.0'],
    ['IPv4-mapped private', '::ffff:10.0.0.1', '::ffff:10.0.0.0', '::ffff:172.16.0.1', '::ffff:192.168.0.1'],
    ['IPv4-mapped link-local and shared', '::ffff:169.254.169.254', '::ffff:100.64.0.1'],
    ['IPv4-mapped multicast and broadcast', '::ffff:224.0.0.1', '::ffff:255.255.255.255'],
    ['IPv4-mapped public', '::ffff:31.10.1.2'],
    ['IPv4-compatible', '::127.0.0.1', '::10.0.0.0', '::10.0.0.1', '::10.1.0.0', '::0.0.1.0', '::255.255.255.255'],
    ['IPv4-translated', '::ffff:0:10.0.0.1', '::ffff:0:0.0.0.0'],
    ['NAT64', '64:ff9b::10.0.0.1', '64:ff9b::', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:10.0.0.1'],
    ['discarded', '100::', '100::ffff:ffff:ffff:ffff'],
    ['Teredo, benchmarks, ORCHID', '2001::', '2001:0:a00:1::', '2001:2::1', '2001:10::1', '2001:1ff:ffff::1'],
    ['documentation', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '3fff::', '3fff:fff:ffff::1'],
    ['6to4', '2002::', '2002:a00:1::1', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['segments', '5f00::', '5f00:ffff::1'],
    ['unique local', 'fc00::', 'fd00:ec2::254', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['link-local and site-local', 'fe80::', 'fe80::1', 'febf:ffff::1', 'fec0::', 'feff:ffff::1'],
    ['multicast', 'ff00::', 'ff02::1', 'ff05::2', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['never given out', '200::1', '1fff::1', '4000::1', 'a000::1', 'fbff:ffff::1'],
  ],
} as const;

/** The neighbours of those ranges, which are as public as any. */
const allowed = {
  4: [
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
    ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255', '192.0.1.0', '192.0.3.0'],
    ...['192.88.98.255', '192.88.100.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0'],
    ...['198.51.99.255', '198.51.101.0', '203.0.112.255', '203.0.114.0', '223.255.255.255', '168.63.129.17', '8.8.8.8'],
  ],
  6: [
    ...['2000::', '2001:200::', '2001:4860:4860::8888', '2001:db7:ffff::1', '2001:db9::', '2001:ffff::1', '2003::'],
    ...['2606:4700::1111', '2a00::1', '3ffe:ffff::1', '3fff:1000::', '3fff:ffff::1'],
  ],
} as const;

describe.each([4, 6] as const)('Where the relay sends to, over IPv%i', (family) => {
  let one: TurnClient;
  let channel = 0x4000;

  beforeEach(async () => {
    one = await udpClient(credentialsFor());
    expect((await one.allocate({ family })).code).toBe(200);
  });

  afterEach(async () => {
    await one.release();
  });

  /** What becomes of a permission for that address, and of a channel to it. */
  const tried = async (address: string): Promise<[number, number]> => {
    channel = channel === 0x4fff ? 0x4000 : channel + 1;
    return [
      (await one.createPermission(address)).code,
      (await one.bindChannel(channel, { address, port: innerPort })).code,
    ];
  };

  it.each(forbidden[family].map(([range, ...addresses]) => ({ range, addresses })))(
    'SE-3 never to $range',
    async ({ addresses }) => {
      for (const address of addresses) expect(await tried(address), address).toEqual([403, 403]);
    },
  );

  it('SE-3 to public addresses, up to those next to what is denied, and to itself', async () => {
    const itself = network.host('relay');
    for (const address of [...allowed[family], family === 4 ? itself.ipv4 : itself.ipv6])
      expect(await tried(address), address).toEqual([200, 200]);
  });

  it('SE-3 a good address does not take a bad one along', async () => {
    const [good, bad] = family === 4 ? ['8.8.8.8', '10.0.0.1'] : ['2606:4700::1111', '::ffff:10.0.0.1'];
    expect([(await one.createPermission(good, bad)).code, (await one.createPermission(bad, good)).code]).toEqual([
      403, 403,
    ]);
  });

  it('SE-3 to a public peer and back, and to nobody for whom there is no permission', async () => {
    const at = family === 4 ? network.host('ben').ipv4 : network.host('ben').ipv6;
    const peer = await ben.udp({ address: at, port: innerPort });
    const silent = await ben.udp({ address: at, port: innerPort + 1 });
    expect((await one.createPermission(at)).code).toBe(200);
    one.sendTo(peer.at, 'there');
    const [packet] = await until('the peer hears it', () => peer.packets.length > 0 && peer.packets);
    expect(packet?.data.toString()).toBe('there');
    expect(packet?.from.port).toBe(one.relayed?.port);
    if (packet) peer.send(Buffer.from('and back'), packet.from);
    await until('it hears the peer', () => one.heard.some(({ data }) => data.toString() === 'and back'));
    // An address that was never asked for: what is sent to it goes nowhere, though it is a public one.
    const stranger = network.host('ana');
    const own = await ana.udp({ address: family === 4 ? stranger.ipv4 : stranger.ipv6, port: innerPort });
    one.sendTo(own.at, 'lost');
    one.sendTo(silent.at, 'after it');
    await until('what was sent later is there', () => silent.packets.length > 0);
    expect(own.packets).toEqual([]);
    for (const socket of [peer, silent, own]) socket.close();
  });

  const wrong = family === 4 ? '2606:4700::1111' : '8.8.8.8';
  it(`SE-3 never to an address of the other family, such as ${wrong}`, async () => {
    expect((await tried(wrong))[0]).toBe(443);
  });
});

describe('Inside the network of the relay', () => {
  /** What listens there: nothing of it may hear anybody from outside. */
  const innerSockets = () =>
    Promise.all(['127.0.0.1', inner, '::1'].map((address) => relay.udp({ address, port: innerPort })));

  /** The ways to write those, for a relay of either family. */
  const ways = {
    4: ['127.0.0.1', inner, '0.0.0.0'],
    6: ['::1', `::ffff:${inner}`, '::ffff:127.0.0.1', `::${inner}`, '::'],
  } as const;

  /** Tries every way in, and then waits until what is sent last is there. */
  const intrude = async (port: number): Promise<string[]> => {
    const sockets = await innerSockets();
    for (const family of [4, 6] as const) {
      const one = await udpClient(credentialsFor(), port);
      await one.allocate({ family });
      for (const [index, address] of ways[family].entries()) {
        await one.createPermission(address);
        await one.bindChannel(0x4000 + index, { address, port: innerPort });
        one.sendTo({ address, port: innerPort }, `as ${address}`);
      }
      // The server takes one after the other: when it answers this, all of that has been sent or dropped.
      await one.release();
    }
    // And what it sent is there before this.
    for (const socket of sockets)
      (await relay.udp({ address: socket.at.address, port: 0 })).send(Buffer.from('last'), socket.at);
    const isLast = ({ data }: { data: Buffer }): boolean => data.toString() === 'last';
    await until('the last one is there', () => sockets.every(({ packets }) => packets.some(isLast)));
    for (const socket of sockets) socket.close();
    return sockets.flatMap(({ packets }) => packets.filter((one) => !isLast(one)).map(({ data }) => data.toString()));
  };

  it('SE-3 nobody is heard from outside', async () => {
    expect(await intrude(turnPort)).toEqual([]);
  });

  it('SE-3 whoever takes those lines out of the configuration lets them in', async () => {
    const { port } = await openServer(/^denied-peer-ip=(10\.|::ffff:0:0-).*\n/gm);
    expect(await intrude(port)).toEqual([`as ${inner}`]);
    const one = await udpClient(credentialsFor(), port);
    expect((await one.allocate({ family: 6 })).code).toBe(200);
    expect((await one.createPermission('::ffff:127.0.0.1', '::ffff:10.0.0.1')).code).toBe(200);
  });
});

describe('What the relay offers', () => {
  it('SE-3 no relay over TCP', async () => {
    const one = await udpClient(credentialsFor());
    expect((await one.allocate({ protocol: 6 })).code).toBe(442);
  });

  it('SE-3 no port but those of TURN, no version, and no attribute that makes an answer long', async () => {
    const listening = (await network.run('relay', 'ss', ['-Hlntup']))
      .split('\n')
      .filter((line) => /"turnserver"/.test(line));
    const ports = listening.map((line) => Number(/:(\d+) +\S+ +users/.exec(line)?.[1])).filter((port) => port < 49_152);
    expect([...new Set(ports)].sort((low, high) => low - high)).toEqual([turnsPort, turnPort]);
    const one = await udpClient();
    const { code, message } = await one.request(methods.binding, []);
    expect([code, attributeOf(message, attributes.software)]).toEqual([200, undefined]);
    expect(message.attributes.map(([type]) => type)).toEqual([attributes.xorMappedAddress, attributes.fingerprint]);
  });

  it('SE-3 no version of TLS before 1.2, and no encryption that is not authenticated', async () => {
    const socket = await tlsTo(turnsPort);
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual([
      expect.stringMatching(/^TLSv1\.[23]$/),
      expect.stringMatching(/(GCM|POLY1305)/),
    ]);
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const;
    await expect(tlsTo(turnsPort, weak)).rejects.toThrow(/handshake failure/);
    for (const old of oldTls) {
      const refused = await tlsSocket(turnsPort, old);
      const connected = vi.fn();
      refused.on('secureConnect', connected).on('error', () => undefined);
      // coturn says nothing to it, while it serves one that came later.
      expect((await client(streamLink(await tlsTo(turnsPort)), credentialsFor()).allocate()).code).toBe(200);
      expect(connected).not.toHaveBeenCalled();
    }
    // Without those lines it speaks them, so it is they that keep it from that.
    const { tlsPort } = await openServer(/^(no-tlsv1|cipher-list).*\n/gm, ['--cipher-list=DEFAULT@SECLEVEL=0']);
    expect((await tlsTo(tlsPort, weak)).getCipher().name).toBe(weak.ciphers);
    for (const old of oldTls) expect((await tlsTo(tlsPort, old)).getProtocol()).toBe(old.maxVersion);
  });

  it('SE-3 no line that coturn does not understand', async () => {
    expect(server.said).not.toMatch(/bad configuration|unknown|warning|error/i);
    const ranges = [...(await readFile(configurationFile, 'utf8')).matchAll(/^denied-peer-ip=(.*)$/gm)];
    expect(ranges.length).toBeGreaterThan(30);
    for (const [, range] of ranges) expect(server.said).toContain(`Black listing: ${range}\n`);
  });

  it('SE-3 no secret in what is given to operators', async () => {
    const settings = (await readFile(configurationFile, 'utf8')).split('\n').filter((line) => /^[^#]/.test(line));
    const names = settings.map((line) => line.split('=')[0]);
    expect(names).toContain('use-auth-secret');
    for (const name of [
      'static-auth-secret',
      'user',
      'cli-password',
      'allowed-peer-ip',
      'allow-loopback-peers',
      'no-auth',
    ])
      expect(names).not.toContain(name);
  });
});
