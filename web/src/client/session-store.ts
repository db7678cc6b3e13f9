/** What the session's id is kept in over a page refresh; `sessionStorage` fits. */
export type SessionStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const key = 'rostrum.session';

/** What an id looks like (SE-7). The server refuses a handshake with anything else, and anybody may write to a storage. */
const sessionIdPattern = /^[\w-]{22}$/;

/** A browser that forbids storage throws on every access; the session then lasts as long as the page. */
const quietly = <T>(action: () => T): T | undefined => {
  try {
    return action();
  } catch {
    return undefined;
  }
};

/**
 * Keeps the id of the session. The page takes it out when it loads and puts it back when it goes away: a duplicated tab
 * copies the storage as it is, and two tabs with one session would throw each other out. Where pages do not go away
 * (Node) it is put in at once.
 */
export class SessionStore {
  readonly #storage: SessionStorage | undefined;
  readonly #pages = typeof addEventListener === 'function';
  #sessionId: string | undefined;

  constructor(storage: SessionStorage | undefined) {
    this.#storage = storage;
    const kept = quietly(() => storage?.getItem(key)) ?? '';
    if (sessionIdPattern.test(kept)) this.#sessionId = kept;
    if (!this.#pages) return;
    quietly(() => storage?.removeItem(key));
    addEventListener('pagehide', this.#putBack);
    addEventListener('pageshow', this.#takeOut);
  }

  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  keep(sessionId: string): void {
    this.#sessionId = sessionId;
    if (!this.#pages) quietly(() => this.#storage?.setItem(key, sessionId));
  }

  /** The session is over: the next connection begins a new one. */
  forget(): void {
    this.#sessionId = undefined;
    quietly(() => this.#storage?.removeItem(key));
  }

  close(): void {
    if (!this.#pages) return;
    removeEventListener('pagehide', this.#putBack);
    removeEventListener('pageshow', this.#takeOut);
  }

  readonly #putBack = (): void => {
    const sessionId = this.#sessionId;
    if (sessionId !== undefined) quietly(() => this.#storage?.setItem(key, sessionId));
  };

  readonly #takeOut = (): void => {
    quietly(() => this.#storage?.removeItem(key));
  };
}
