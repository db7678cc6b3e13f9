import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { MediaAddresses } from '../lib/media-addresses.ts';

/** The server that is put under load, and nobody else. */
export type LoadServer = {
  /** Where HTTP and sockets go, without a slash at the end. */
  readonly url: string;
  /** Where media goes. */
  readonly addresses: MediaAddresses;
  /** Whether everybody is said to come from an address of their own. */
  readonly forwarded: boolean;
};

/**
 * Resolves the server's name. Media may go to the addresses that it has, and to those that are named besides; a server on this machine
 * is reached by every address of the machine. Rejects where the name stands for nothing.
 */
export const findServer = async (
  url: string,
  {
    mediaAddresses = [],
    forwarded = false,
  }: { readonly mediaAddresses?: readonly string[]; readonly forwarded?: boolean } = {},
): Promise<LoadServer> => {
  const { origin, hostname } = new URL(url);
  const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true });
  const resolved = found.map(({ address }) => address);
  const own = addressesHere();
  const isHere = resolved.some((address) => own.includes(address));
  return {
    url: origin,
    addresses: new MediaAddresses([...resolved, ...mediaAddresses, ...(isHere ? own : [])]),
    forwarded,
  };
};

/** This machine alone: where people of this load meet each other. */
export const ownAddresses = (): MediaAddresses => new MediaAddresses(addressesHere());

const addressesHere = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
