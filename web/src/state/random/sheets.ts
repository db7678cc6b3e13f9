import type { About } from './commands.ts';

/** What lies over the page of random calls: one thing at a time. */
export type TalkSheet =
  | { readonly kind: 'rules' | 'age' | 'leave-room' | 'devices' | 'shortcuts' }
  /** About the partner of a call, which may be over by then. */
  | { readonly kind: 'report' | 'block'; readonly about: About };
