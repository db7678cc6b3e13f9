import type { ComponentChildren } from 'preact';
import type { Icon } from './icons.tsx';
import './chip.css';

type ChipProps = { readonly pressed: boolean; readonly onClick: () => void; readonly children: ComponentChildren };

/** One of several filters, of which one is on. */
export const Chip = ({ pressed, onClick, children }: ChipProps) => (
  <button type="button" class="chip" aria-pressed={pressed} onClick={onClick}>
    {children}
  </button>
);

/** A word about something, with a shape; no control. */
export const Tag = ({ icon: Shape, children }: { readonly icon?: Icon; readonly children: ComponentChildren }) => (
  <span class="tag">
    {Shape && <Shape />}
    {children}
  </span>
);
