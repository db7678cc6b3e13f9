import { type Result, refuse } from '@rostrum/shared/result.ts';
import { type PipeRequest, pipeMessageBytes, pipePath, pipeReply } from '../../cluster/pipe-protocol.ts';
import type { PipeDemand, PipeOffer, PipePeers } from '../../media/media-plane.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { validate } from '../validation.ts';
import { replyTo, seal, unseal } from './seal.ts';

export type PipePeersOptions = {
  /** This node's name. */
  readonly self: string;
  readonly secret: Uint8Array;
  /** Where the internal server of this node listens, such as `10.0.0.2:4000` or `[fd00::2]:4000`; undefined for one that is not known. */
  readonly addressOf: (node: string) => string | undefined;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'debug'>;
  /** How long an answer may take; `requestTimeoutMs` when left out. */
  readonly timeoutMs?: number | undefined;
};

/** A worker under load opens a pipe in tens of milliseconds; and a demand that is late is made again. */
const requestTimeoutMs = 2000;

/**
 * Asks other nodes for pipes, over their internal servers. Never rejects: whatever goes wrong on the way is
 * `unavailable`, and another secret than theirs `unauthorized`.
 */
export const createPipePeers = (options: PipePeersOptions): PipePeers => ({
  async request(node, demand) {
    const address = options.addressOf(node);
    if (address === undefined) return refuse('unavailable');
    try {
      return await request(options, { node, address, demand });
    } catch (error) {
      options.logger.debug({ node, address, err: error }, 'another node could not be asked');
      return refuse('unavailable');
    }
  },
});

const request = async (
  { self, secret, clock, timeoutMs = requestTimeoutMs }: PipePeersOptions,
  { node, address, demand }: { node: string; address: string; demand: PipeDemand },
): Promise<Result<PipeOffer>> => {
  const message: PipeRequest = { from: self, to: node, at: clock.now(), demand };
  const sealed = seal(secret, message, pipePath);
  const response = await fetch(`http://${address}${pipePath}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(sealed),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const body = await bodyOf(response, pipeMessageBytes.reply);
  if (response.status === 401) return refuse('unauthorized');
  const opened = response.ok && body !== undefined ? unseal(secret, body, replyTo(sealed)) : undefined;
  if (opened === undefined) return refuse('unavailable');
  const reply = validate(pipeReply, opened.message);
  if (!reply.ok) return refuse('unavailable');
  return reply.value.ok ? { ok: true, value: reply.value.offer } : refuse(reply.value.code);
};

/** The whole body; undefined when it is longer than `most` bytes. Whoever answers is not known before it is read. */
const bodyOf = async (response: Response, most: number): Promise<Buffer | undefined> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
