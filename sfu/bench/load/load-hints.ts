/** What a failure means and what to do about it, where that is not plain. */
const hints: readonly (readonly [RegExp, string])[] = [
  [
    /(^sign-in|\/api\/auth\/guest).* rate_limited$/,
    'The server lets only so many guests in from one address: for the time of the load start it with a larger ' +
      'LIMIT_GUESTS_PER_ADDRESS_HOUR and LIMIT_HTTP_REQUESTS_PER_MINUTE, or with this machine among its TRUSTED_PROXIES and give --forwarded.',
  ],
  [
    /^socket .*(http_429|rate_limited)$/,
    'The server takes only so many sockets from one address: LIMIT_SOCKETS_PER_ADDRESS, or --forwarded.',
  ],
  [
    /node_full$/,
    'The server took no more: all that its workers can carry is reserved (LIMIT_PACKETS_PER_WORKER), or it has all its rooms.',
  ],
  [/unsupported_protocol$/, 'This load is of another version than the server.'],
  [
    /hand_not_accepted$/,
    'Nobody accepted the hands that were raised: be there as the host of that room, or let anyone speak in it.',
  ],
  [/^first packet silent$/, 'Some were let in and got no audio: is the UDP port of the server reachable from here?'],
];

/** What to do about these failures, as far as that can be said. */
export const hintsFor = (failures: readonly string[]): string[] =>
  hints.filter(([pattern]) => failures.some((failure) => pattern.test(failure))).map(([, hint]) => hint);
