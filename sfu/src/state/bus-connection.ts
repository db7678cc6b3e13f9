/**
 * The connection that nodes tell each other things over: a capped stream in Redis. What cannot be told now is not kept for later.
 */
export type BusConnection = {
  /** The name of the stream. */
  readonly stream: string;
  /** What Socket.IO's Streams adapter is given as its Redis client. */
  readonly client: object;
  /** Entries that the stream is cut back to, and the longest time that reading waits for one, in milliseconds. */
  readonly mostEntries: number;
  readonly readMs: number;
  /** Whether something that is told now is on its way at once. */
  takes(): boolean;
  /** Entries that were sent and are not answered yet. */
  waiting(): number;
  /** Tells of every time that entries are taken again. */
  whenReady(act: () => void): void;
  /** Lets go of both connections. Resolves within a second. */
  close(): Promise<void>;
};
