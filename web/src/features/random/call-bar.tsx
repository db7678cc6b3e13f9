import type { ComponentChildren } from 'preact';
import type { Icon } from '../../ui/icons.tsx';
import './call-bar.css';

type CallBarProps = {
  readonly above?: ComponentChildren;
  readonly tools?: ComponentChildren;
  /** On to somebody else; nothing else ever stands in its place. */
  readonly next?: ComponentChildren;
  /** The way out, in a place of its own. */
  readonly end: ComponentChildren;
};

/** The bar under the thumb: the same places while one searches, talks, and afterwards. */
export const CallBar = ({ above, tools, next, end }: CallBarProps) => (
  <footer id="controls" class="callbar" tabIndex={-1}>
    {above}
    <div class="callbar__row">
      <div class="callbar__tools">{tools}</div>
      <div class="callbar__place">{next}</div>
      <div class="callbar__place">{end}</div>
    </div>
  </footer>
);

type BarSlotProps = {
  readonly id?: string;
  readonly icon: Icon;
  readonly text: string;
  /** Where the word alone does not say it all. */
  readonly name?: string;
  readonly tone?: 'plain' | 'raised' | 'primary' | 'danger' | 'off';
  readonly keys?: string;
  readonly expanded?: boolean;
  readonly children?: ComponentChildren;
  readonly onClick: () => void;
};

/** One control of the bar. The second click of a double click was meant for what stood here before it. */
export const BarSlot = (props: BarSlotProps) => {
  const { id, icon: Shape, text, name, tone = 'plain', keys, expanded, children, onClick } = props;
  return (
    <button
      type="button"
      id={id}
      class={`slot slot--${tone}`}
      aria-label={name}
      aria-keyshortcuts={keys}
      aria-expanded={expanded}
      onClick={(event) => {
        if (event.detail <= 1) onClick();
      }}
    >
      {children}
      <Shape />
      <span class="slot__text">{text}</span>
    </button>
  );
};
