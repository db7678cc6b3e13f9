import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What went over the channels between this process and its mediasoup workers so far. */
export type ChannelCounts = {
  readonly requests: number;
  readonly notifications: number;
  /** Of the requests, those that pause or resume something. */
  readonly switching: number;
};

type Method = (this: unknown, ...what: unknown[]) => unknown;
type ChannelModule = { readonly Channel: { readonly prototype: { request: Method; processNotification: Method } } };
type RequestModule = { readonly Method: Readonly<Record<number, string>> };

/** mediasoup is CommonJS, and its package shows these modules to nobody but itself: they are asked for by where they are. */
const load = <Module>(path: string): Module => {
  const require = createRequire(import.meta.url);
  return require(join(dirname(require.resolve('mediasoup')), path)) as Module;
};

/**
 * Counts what this process asks its workers, and what they tell it unasked. To be called before the first worker starts. mediasoup
 * neither counts it nor gives its channel out, so its own class is wrapped: the counts are exact, whoever asks for whatever reason.
 */
export const countRequests = (): ChannelCounts => {
  const counts = { requests: 0, notifications: 0, switching: 0 };
  const { Channel } = load<ChannelModule>('Channel.js');
  const { Method } = load<RequestModule>('fbs/request.js');
  const { request, processNotification } = Channel.prototype;
  Channel.prototype.request = function counted(...what) {
    counts.requests += 1;
    if (/_(PAUSE|RESUME)$/.test(Method[Number(what[0])] ?? '')) counts.switching += 1;
    return request.apply(this, what);
  };
  Channel.prototype.processNotification = function counted(...what) {
    counts.notifications += 1;
    return processNotification.apply(this, what);
  };
  return counts;
};
