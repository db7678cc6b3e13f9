import { sizes } from '@rostrum/shared/limits.ts';
import { line } from '@rostrum/shared/protocol/common.ts';

const nameSchema = line(1, sizes.displayName);

/**
 * Something that is seen: no white space, not one of the characters that Unicode says to draw as nothing (zero-width
 * spaces, Hangul fillers), and not the blank Braille pattern.
 */
const visible = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * A display name as it is kept (ID-1): in Unicode's composed form (UAX #15, NFC), trimmed, with one space where there
 * were several. Undefined for one that is empty, too long, invisible, or has control characters.
 */
export const normalizedName = (text: string): string | undefined => {
  if (!text.isWellFormed()) return undefined;
  const name = nameSchema.safeParse(text.normalize('NFC').replaceAll(/\p{Zs}+/gu, ' '));
  return name.success && visible.test(name.data) ? name.data : undefined;
};
