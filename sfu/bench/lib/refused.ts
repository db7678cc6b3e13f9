/** The server said no: `code` is its own, or `http_` with the status where it gave none. */
export class Refused extends Error {
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(what: string, code: string, retryAfterMs?: number) {
    super(`${what} was refused: ${code}`);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
