import { BlockList, isIP } from 'node:net';
import type { TransportOffer } from '@rostrum/shared/protocol/listening.ts';

export type UdpAddress = { readonly host: string; readonly port: number };

/** A server named an address for media to which nothing may be sent from here. */
export class ForeignAddress extends Error {
  readonly code = 'foreign_address';
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** The addresses to which media may be sent: a server that names others must not point a load at somebody else's machine. */
export class MediaAddresses {
  readonly #allowed = new BlockList();
  readonly all: readonly string[];

  constructor(addresses: Iterable<string>) {
    this.all = [...new Set(addresses)];
    for (const address of this.all) this.#allowed.addAddress(address, familyOf(address));
  }

  /** Whether this is one of them, however it is written. A name is none, as it may stand for anything. */
  includes(address: string): boolean {
    return isIP(address) !== 0 && this.#allowed.check(address, familyOf(address));
  }

  /** Where the server takes UDP. @throws ForeignAddress when it does so nowhere that is allowed */
  udp({ iceCandidates }: TransportOffer): UdpAddress {
    const named = iceCandidates.filter(({ protocol }) => protocol === 'udp').map(({ address }) => String(address));
    for (const { protocol, address, port } of iceCandidates) {
      if (protocol !== 'udp' || typeof address !== 'string' || typeof port !== 'number') continue;
      if (this.includes(address)) return { host: address, port };
    }
    throw new ForeignAddress(
      named.length === 0
        ? 'the server takes no media over UDP'
        : `the server takes media at ${[...new Set(named)].join(', ')}, where nothing may be sent`,
    );
  }

  /** What is left of an offer: the candidates that may be used, and no STUN or TURN server. @throws ForeignAddress without any */
  allowedOf(offer: TransportOffer): TransportOffer {
    this.udp(offer);
    return {
      ...offer,
      iceCandidates: offer.iceCandidates.filter(({ address }) => typeof address === 'string' && this.includes(address)),
      iceServers: [],
    };
  }
}

/** Nowhere but on this machine: a benchmark is no load for anybody else's. */
export const loopback = new MediaAddresses(['127.0.0.1']);
