import type { ComponentChildren, ComponentProps } from 'preact';
import type { Icon } from './icons.tsx';
import './button.css';

type Look = {
  readonly variant?: 'primary' | 'neutral' | 'quiet' | 'danger' | 'quiet-danger';
  readonly size?: 'normal' | 'large';
  readonly wide?: boolean;
};

const classes = ({ variant = 'neutral', size = 'normal', wide = false }: Look, more: string): string =>
  `button button--${variant}${size === 'large' ? ' button--large' : ''}${wide ? ' button--wide' : ''} ${more}`.trim();

type ButtonProps = Omit<ComponentProps<'button'>, 'class' | 'size' | 'icon'> &
  Look & { readonly icon?: Icon; readonly class?: string; readonly children: ComponentChildren };

export const Button = ({ variant, size, wide, icon: Shape, children, class: more = '', ...rest }: ButtonProps) => (
  <button type="button" {...rest} class={classes(look(variant, size, wide), more)}>
    {Shape && <Shape />}
    {children}
  </button>
);

type LinkButtonProps = Look & {
  readonly href: string;
  readonly icon?: Icon;
  readonly class?: string;
  readonly children: ComponentChildren;
};

/** A link that looks like a button: it leads to a page. */
export const LinkButton = ({ variant, size, wide, icon: Shape, children, class: more = '', href }: LinkButtonProps) => (
  <a href={href} class={classes(look(variant, size, wide), more)}>
    {Shape && <Shape />}
    {children}
  </a>
);

type IconButtonProps = Omit<ComponentProps<'button'>, 'class' | 'size' | 'icon' | 'aria-label'> &
  Look & { readonly icon: Icon; readonly name: string; readonly class?: string };

/** A control that is only an icon: the name is for screen readers, and as a tooltip for everybody else. */
export const IconButton = ({
  variant = 'quiet',
  size,
  icon: Shape,
  name,
  class: more = '',
  ...rest
}: IconButtonProps) => (
  <button
    type="button"
    {...rest}
    aria-label={name}
    data-tip={name}
    class={classes(look(variant, size), `button--icon ${more}`)}
  >
    <Shape />
  </button>
);

/** With exact optional properties, what is undefined has to be left out. */
const look = (variant: Look['variant'], size: Look['size'], wide?: boolean): Look => ({
  ...(variant === undefined ? {} : { variant }),
  ...(size === undefined ? {} : { size }),
  ...(wide === undefined ? {} : { wide }),
});
