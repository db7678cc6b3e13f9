import type { Messages } from '../i18n/index.ts';
import { lineFault } from './words.ts';

type Bounds = { readonly most: number; readonly longest: number };

/** A list of short words with one more, or why it cannot be one. One that is there already changes nothing. */
export const addTag = (
  tags: readonly string[],
  text: string,
  { most, longest }: Bounds,
  messages: Messages,
): { readonly tags: readonly string[] } | { readonly error: string } => {
  const words = messages.roomForm.errors;
  const tag = text.trim().replace(/^#+/, '');
  if (tag === '' || tags.some((other) => other.toLowerCase() === tag.toLowerCase())) return { tags };
  if (tags.length >= most) return { error: words.tooManyTags(most) };
  const fault = lineFault(tag, longest, 1);
  if (fault === undefined) return { tags: [...tags, tag] };
  return { error: fault === 'too-long' ? words.tooLong(longest) : words.unprintable };
};
