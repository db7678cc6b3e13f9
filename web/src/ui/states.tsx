import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useMessages } from '../i18n/index.ts';
import type { Icon } from './icons.tsx';
import './states.css';

/** What is loaded faster than this needs no sign of loading (ui: Always). */
const patienceMs = 300;

/** Shows its children once one has waited for a while. */
const AfterAWhile = ({ children }: { readonly children: ComponentChildren }) => {
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(setWaited, patienceMs, true);
    return () => clearTimeout(timer);
  }, []);
  return waited ? children : null;
};

/** A grey shape where something is about to be. */
export const Skeleton = ({
  width,
  height,
  round = false,
}: {
  readonly width: string;
  readonly height: string;
  readonly round?: boolean;
}) => (
  <span
    class="skeleton"
    style={{ inlineSize: width, blockSize: height, ...(round ? { borderRadius: 'var(--radius-round)' } : {}) }}
    aria-hidden="true"
  />
);

/** Something is on its way; the shapes stand for what it will be. */
export const Loading = ({ name, children }: { readonly name?: string; readonly children: ComponentChildren }) => {
  const messages = useMessages();
  return (
    <AfterAWhile>
      <p class="visually-hidden" role="status">
        {name ?? messages.loading}
      </p>
      {children}
    </AfterAWhile>
  );
};

type EmptyStateProps = {
  readonly icon?: Icon;
  readonly title: string;
  readonly text?: ComponentChildren;
  /** `1` where this is the whole page. */
  readonly level?: 1 | 2;
  readonly children?: ComponentChildren;
};

/** Nothing is here, or something went wrong: says so, and what to do. */
export const EmptyState = ({ icon: Shape, title, text, level = 2, children }: EmptyStateProps) => {
  const Heading = level === 1 ? 'h1' : 'h2';
  return (
    <div class="empty">
      {Shape && (
        <span class="empty__mark">
          <Shape />
        </span>
      )}
      <Heading class="empty__title" tabIndex={level === 1 ? -1 : undefined}>
        {title}
      </Heading>
      {text !== undefined && <div class="empty__text">{text}</div>}
      {children !== undefined && <div class="empty__do">{children}</div>}
    </div>
  );
};
