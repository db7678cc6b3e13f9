/** RFC 8285 sections 4.2 and 4.3: what a block of header extensions begins with, by how long the headers of its elements are. */
const oneByteProfile = 0xbede;
const twoByteProfile = 0x1000;
/** Of the two-byte form the last four bits are for the application. */
const twoByteMask = 0xfff0;
/** RFC 8285 section 4.2: nothing comes after this id. */
const lastId = 15;
const fixedHeaderBytes = 12;

/**
 * The level of an RTP packet in dBov, from its header extension for audio levels (RFC 6464) with this id: 0 is the loudest, −127
 * silence. Undefined when it has none, or is no RTP packet (RFC 3550 section 5.1): whatever the bytes are, it does not throw.
 */
export const levelIn = (packet: Buffer, extensionId: number): number | undefined => {
  const first = packet[0] ?? 0;
  if (packet.length < fixedHeaderBytes || first >> 6 !== 2 || (first & 0x10) === 0) return undefined;
  const start = fixedHeaderBytes + 4 * (first & 0x0f);
  if (packet.length < start + 4) return undefined;
  const profile = packet.readUInt16BE(start);
  const end = start + 4 + 4 * packet.readUInt16BE(start + 2);
  if (end > packet.length) return undefined;
  const block = packet.subarray(start + 4, end);
  const at =
    profile === oneByteProfile ? oneByteElement(block, extensionId) : twoByteElement(block, profile, extensionId);
  // The first bit says whether there is a voice in it, as far as the sender knows.
  return at === undefined ? undefined : -((block[at] ?? 0) & 0x7f) || 0;
};

/** Where the value of an element begins that is not empty. A zero byte is padding. */
const oneByteElement = (block: Buffer, wanted: number): number | undefined => {
  for (let at = 0; at < block.length; ) {
    const header = block[at] ?? 0;
    const id = header >> 4;
    if (id === lastId) return undefined;
    const next = header === 0 ? at + 1 : at + 2 + (header & 0x0f);
    if (id === wanted && header !== 0) return next <= block.length ? at + 1 : undefined;
    at = next;
  }
  return undefined;
};

const twoByteElement = (block: Buffer, profile: number, wanted: number): number | undefined => {
  if ((profile & twoByteMask) !== twoByteProfile) return undefined;
  for (let at = 0; at < block.length; ) {
    const id = block[at] ?? 0;
    const length = id === 0 ? -1 : (block[at + 1] ?? 0);
    const next = at + 2 + length;
    if (id !== 0 && id === wanted) return length > 0 && next <= block.length ? at + 2 : undefined;
    at = next;
  }
  return undefined;
};
