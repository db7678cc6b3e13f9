import { createHmac, hkdfSync } from 'node:crypto';
import type { Agreement } from '../state/cluster-store.ts';

/** Characters of base64url of a mark that must not be guessed to be another one, and of one that only shows a difference. */
const secretMark = 22;
const settingMark = 8;

export type AgreementOf = {
  readonly authSecret: Uint8Array;
  /** `Records.place`. */
  readonly records: string;
  /** Those that all nodes should have in common, by their variable (config-shared.ts). */
  readonly settings: ReadonlyMap<string, string>;
};

/**
 * What a node shows the others of what it has to have in common with them: hashes under a key of its own, derived from the secret
 * (RFC 5869), which say whether two are the same and nothing else.
 */
export const agreementOf = ({ authSecret, records, settings }: AgreementOf): Agreement => {
  const key = new Uint8Array(hkdfSync('sha256', authSecret, '', 'rostrum agreement of nodes v1', 32));
  const mark = (text: string, length: number): string =>
    createHmac('sha256', key).update(text).digest('base64url').slice(0, length);
  return {
    secret: mark('secret', secretMark),
    records,
    settings: Object.fromEntries([...settings].map(([name, text]) => [name, mark(`${name}=${text}`, settingMark)])),
  };
};

/** What keeps two nodes from being in one cluster, in words for the operator: `other` is told from this node. */
export const conflictOf = (
  own: Agreement,
  other: Agreement,
  { name, isNear }: { readonly name: string; readonly isNear: boolean },
): string | undefined => {
  if (own.secret !== other.secret)
    return `node "${name}" of this cluster has another AUTH_SECRET, so neither would believe the other's tokens or let it have voices: give every node the same one, or this one another REDIS_PREFIX`;
  if (isNear && own.records !== other.records)
    return `node "${name}" of this cluster is on this machine and keeps its records elsewhere, so who is known or banned would depend on the node that somebody comes to: give every node the same DATA_DIR, or this one another REDIS_PREFIX`;
  return undefined;
};

/** The variables that two nodes have set differently, in their order. */
export const differencesOf = (own: Agreement, other: Agreement): string[] =>
  [...new Set([...Object.keys(own.settings), ...Object.keys(other.settings)])]
    .filter((name) => own.settings[name] !== other.settings[name])
    .toSorted();
