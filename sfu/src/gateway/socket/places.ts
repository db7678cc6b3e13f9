import type { Limits } from '@rostrum/shared/limits.ts';

type Holder = { readonly address: string; readonly userId: string; readonly sessionId: string };

/**
 * The connections that people and addresses hold (ID-5, RE-5). A place is taken before its socket is open and without
 * waiting, so that sockets which arrive together do not all find the last one. Each node of a cluster counts its own: what it
 * guards is the node, and a place that waited for Redis would refuse people in an outage.
 */
export class Places {
  readonly #limits: Pick<Limits, 'socketsPerUser' | 'socketsPerAddress'>;
  readonly #byAddress = new Map<string, number>();
  /** The session of each connection of a person. */
  readonly #byUser = new Map<string, readonly string[]>();

  constructor(limits: Pick<Limits, 'socketsPerUser' | 'socketsPerAddress'>) {
    this.#limits = limits;
  }

  /** Takes a place, and answers with what gives it back; undefined where there is none. Who continues a session has one. */
  take({ address, userId, sessionId }: Holder): (() => void) | undefined {
    const { socketsPerUser, socketsPerAddress } = this.#limits;
    const held = this.#byAddress.get(address) ?? 0;
    const own = this.#byUser.get(userId) ?? [];
    const others = new Set(own.filter((other) => other !== sessionId));
    if (held >= socketsPerAddress || others.size >= socketsPerUser) return undefined;
    this.#byAddress.set(address, held + 1);
    this.#byUser.set(userId, [...own, sessionId]);
    let taken = true;
    return () => {
      if (taken) this.#giveBack({ address, userId, sessionId });
      taken = false;
    };
  }

  #giveBack({ address, userId, sessionId }: Holder): void {
    const held = (this.#byAddress.get(address) ?? 1) - 1;
    if (held > 0) this.#byAddress.set(address, held);
    else this.#byAddress.delete(address);
    const own = [...(this.#byUser.get(userId) ?? [])];
    own.splice(own.indexOf(sessionId), 1);
    if (own.length > 0) this.#byUser.set(userId, own);
    else this.#byUser.delete(userId);
  }
}
