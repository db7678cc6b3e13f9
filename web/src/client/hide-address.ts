import { candidateType } from '@rostrum/shared/call/sdp.ts';

/**
 * A description or a candidate without any address but a relay's (RD-12). With `iceTransportPolicy: 'relay'` browsers gather
 * no other candidates, but some write into a relayed one which address asked for it (`raddr`); RFC 8839 section 5.1 lets
 * that be hidden. Empty for a candidate that cannot be told.
 */
export const hideAddresses = (text: string): string =>
  text
    .split('\r\n')
    .flatMap((line) => {
      const candidate = line.replace(/^a=(?=candidate:)/, '');
      if (!candidate.startsWith('candidate:')) return [line];
      if (candidateType(candidate) !== 'relay') return [];
      return [line.replace(/ raddr \S+ rport \d+/, ' raddr 0.0.0.0 rport 0')];
    })
    .join('\r\n');
