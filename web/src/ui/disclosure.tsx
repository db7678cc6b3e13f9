import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import './disclosure.css';

type DisclosureProps = {
  readonly title: string;
  /** Opens it, such as for a field at fault inside; it stays open while that is put right. */
  readonly wanted?: boolean;
  readonly children: ComponentChildren;
};

/** What few people need, folded away. */
export const Disclosure = ({ title, wanted = false, children }: DisclosureProps) => {
  const element = useRef<HTMLDetailsElement>(null);
  useLayoutEffect(() => {
    if (wanted && element.current !== null) element.current.open = true;
  }, [wanted]);
  return (
    <details ref={element} class="more">
      <summary class="more__title">{title}</summary>
      <div class="more__fields">{children}</div>
    </details>
  );
};
