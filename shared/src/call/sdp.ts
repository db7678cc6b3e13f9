import { sizes } from '../limits.ts';

/**
 * What two browsers tell each other through the server, read just far enough to know that it is what it claims to be
 * (SE-5). Nothing here is kept or changed.
 */

/** RFC 8866 section 5: a line is one lower-case letter, `=`, and text without control characters. */
const sdpLine = /^[a-z]=[^\p{Cc}]*$/u;
/** RFC 8866 section 5.14, of the media that a call has: audio, video and (for SCTP) application. */
const mediaLine = /^m=(audio|video|application) \d{1,5}(\/\d{1,5})? [A-Z/]{3,32}( [\w.-]+)+$/;
/** RFC 8122 section 5: without a fingerprint there is no DTLS, and nothing to make a security code from. */
const fingerprintLine = /^a=fingerprint:(sha-(?:256|384|512)) ((?:[0-9A-Fa-f]{2}:){31,63}[0-9A-Fa-f]{2})$/;
/**
 * RFC 8839 section 5.1: foundation, component, transport, priority, address, port, type, and extensions. Browsers write the
 * address of a host candidate as a `.local` name (draft-ietf-mmusic-mdns-ice-candidates).
 */
const candidateText =
  /^candidate:[A-Za-z0-9+/]{1,32} [12] (udp|tcp) \d{1,10} [0-9A-Za-z.:-]{1,253} \d{1,5} typ (host|srflx|prflx|relay)(?: [\w.:+/-]{1,253})*$/i;
/** Media sections of one description: audio, video, a screen, data. More is no call between two people. */
const mostMedia = 4;

/** The last line ends like every other (RFC 8866 section 9); an empty line is none of them. */
const linesOf = (sdp: string): string[] => sdp.replace(/\r?\n$/, '').split(/\r?\n/);

/** Whether the text is a session description of WebRTC: RFC 8866 line by line, with media and a DTLS fingerprint. */
export const isSessionDescription = (text: string): boolean => {
  if (text.length > sizes.sdp) return false;
  const lines = linesOf(text);
  const media = lines.filter((line) => line.startsWith('m='));
  return (
    lines[0] === 'v=0' &&
    (lines[1]?.startsWith('o=') ?? false) &&
    lines.every((line) => sdpLine.test(line)) &&
    media.length > 0 &&
    media.length <= mostMedia &&
    media.every((line) => mediaLine.test(line)) &&
    lines.some((line) => fingerprintLine.test(line)) &&
    lines.every((line) => !line.startsWith('a=candidate:') || isCandidate(line.slice(2)))
  );
};

/** Whether the text is a candidate line of RFC 8839 as `RTCIceCandidate.candidate` has it; empty ends them. */
export const isCandidate = (text: string): boolean =>
  text === '' || (text.length <= sizes.candidate && candidateText.test(text));

/** The type of a candidate; undefined for the empty one, and for what is none. */
export const candidateType = (text: string): string | undefined => candidateText.exec(text)?.[2]?.toLowerCase();

/** Addresses that say nothing: what browsers write where they hide their own (RFC 8839 section 4.2.1.3). */
const blank = new Set(['0.0.0.0', '127.0.0.1', '::', '::1']);
/** RFC 8866 sections 5.2 and 5.7, RFC 3605: lines that tell an address besides candidates. */
const addressLine = /^(?:o=.* |c=|a=rtcp:\d+ )IN IP[46] ([^\s/]+)/;
/** Extensions that browsers write, of which `raddr` alone tells an address (RFC 8839 section 5.1). */
const knownExtension = /^(raddr|rport|tcptype|generation|ufrag|network-id|network-cost)$/i;

/**
 * Whether a candidate, or a description, tells no address but a relay's (RD-12): each candidate is a relay's, and every other
 * line that has an address has a blank one, or that of such a relay.
 */
export const hidesAddress = (text: string): boolean => {
  const lines = linesOf(text);
  const candidates = lines.flatMap((line) => /^(?:a=)?(candidate:.*)$/i.exec(line)?.slice(1) ?? []);
  const relays = new Set(candidates.map((candidate) => candidate.split(' ')[4]));
  const isHidden = (line: string): boolean => {
    const address = addressLine.exec(line)?.[1];
    return address === undefined || blank.has(address) || relays.has(address);
  };
  return (
    candidates.every((candidate) => candidateType(candidate) === 'relay' && tellsNoOther(candidate)) &&
    lines.every(isHidden) &&
    !lines.some((line) => /^a=remote-candidates:/i.test(line))
  );
};

/** For a relay the related address is one's own. When it is hidden, Chrome leaves it blank, and Firefox writes the relay's. */
const tellsNoOther = (candidate: string): boolean => {
  const [, , , , address = '', , , , ...extensions] = candidate.split(' ');
  return extensions.every((text, index) => {
    if (index % 2 === 0) return knownExtension.test(text);
    return extensions[index - 1]?.toLowerCase() !== 'raddr' || blank.has(text) || text === address;
  });
};

/** The DTLS fingerprints of a description, as `sha-256 AB:CD:…`, each once, in upper case, sorted. */
export const fingerprintsOf = (sdp: string): string[] => {
  const found = linesOf(sdp).flatMap((line) => {
    const match = fingerprintLine.exec(line);
    return match ? [`${match[1]} ${match[2]?.toUpperCase()}`] : [];
  });
  return [...new Set(found)].sort();
};
