/** What a key asks for in a room (WB-3). */
export type KeyIntent = 'toggle-mute' | 'talk' | 'toggle-hand' | 'help';

export type KeyPress = {
  readonly key: string;
  readonly code: string;
  readonly repeat: boolean;
  /** Control, Alt or Meta is held: the key is the browser's. */
  readonly modified: boolean;
  /** Where the focus is: keys have a meaning of their own in a control and in a text. */
  readonly target: 'page' | 'microphone' | 'control' | 'text';
  /** A dialog is open. */
  readonly dialog: boolean;
};

/**
 * The intent of a key, or undefined where it means something else. Space belongs to the control that has the focus; on
 * the microphone it means the same as everywhere.
 */
export const intentOf = (press: KeyPress): KeyIntent | undefined => {
  if (press.modified || press.dialog || press.target === 'text') return undefined;
  if (press.code === 'Space') return press.target === 'control' ? undefined : 'talk';
  if (press.repeat) return undefined;
  if (press.key === '?') return 'help';
  switch (press.key.toLowerCase()) {
    case 'm':
      return 'toggle-mute';
    case 'h':
      return 'toggle-hand';
    default:
      return undefined;
  }
};

/** What a key press on this element would do by itself. */
export const targetOf = (element: Element | null): KeyPress['target'] => {
  if (element === null || element.matches('body, main, h1, [tabindex="-1"]')) return 'page';
  if (element.matches('.microphone')) return 'microphone';
  const text =
    'input:not([type="checkbox"], [type="radio"], [type="range"]), textarea, select, [contenteditable="true"]';
  return element.matches(text) ? 'text' : 'control';
};
