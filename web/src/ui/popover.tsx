import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { IconButton } from './button.tsx';
import type { Icon } from './icons.tsx';
import { placeBeside } from './place.ts';
import './popover.css';

type MenuButtonProps = {
  readonly icon: Icon;
  readonly name: string;
  readonly class?: string;
  /** Looks other than an icon, with their own text. */
  readonly face?: ComponentChildren;
  readonly children: ComponentChildren;
};

/** A control that opens a short list of others: a native popover, so Escape and a tap outside close it. */
export const MenuButton = ({ icon, name, class: more = '', face, children }: MenuButtonProps) => {
  const id = useId();
  const button = useRef<HTMLSpanElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const onToggle = (event: { readonly newState: string }) => {
    const control = button.current?.firstElementChild;
    if (event.newState === 'open' && menu.current !== null && control)
      placeBeside(menu.current, control.getBoundingClientRect(), 'end');
  };
  const onClick = (event: Event) => {
    // Whatever was chosen, the menu has served.
    if (event.target instanceof Element && event.target.closest('.menu__item') !== null) menu.current?.hidePopover();
  };
  return (
    <>
      <span ref={button}>
        {face === undefined ? (
          <IconButton icon={icon} name={name} class={more} popovertarget={id} />
        ) : (
          <button type="button" class={more} aria-label={name} popovertarget={id}>
            {face}
          </button>
        )}
      </span>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the click is one that bubbles from a control inside, keyboard clicks too. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: as above; the popover itself is no control. */}
      <div ref={menu} id={id} class="menu" popover="auto" onToggle={onToggle} onClick={onClick}>
        {children}
      </div>
    </>
  );
};

type MenuItemProps = {
  readonly icon: Icon;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
};

export const MenuItem = ({ icon: Shape, danger = false, disabled = false, onClick, children }: MenuItemProps) => (
  <button
    type="button"
    class={danger ? 'menu__item menu__item--danger' : 'menu__item'}
    disabled={disabled}
    onClick={onClick}
  >
    <Shape />
    {children}
  </button>
);
