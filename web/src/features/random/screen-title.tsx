import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useApp } from '../../state/app.ts';
import { useTalkPlace } from './talk-context.ts';

type ScreenTitleProps = { readonly class: string; readonly children: ComponentChildren };

/** The heading of a screen. What one pressed to come here is gone, so the keyboard goes on from the heading, which is read. */
export const ScreenTitle = ({ class: look, children }: ScreenTitleProps) => {
  const { router } = useApp();
  const { moved } = useTalkPlace();
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    if (router.moved() || moved()) heading.current?.focus({ preventScroll: true });
  }, [router, moved]);
  return (
    <h1 ref={heading} class={look} tabIndex={-1}>
      {children}
    </h1>
  );
};
