import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type GridWindow, gridWindow, virtualAbove } from '../state/window.ts';

type VirtualGridProps = {
  readonly class: string;
  readonly name: string;
  readonly count: number;
  readonly render: (index: number) => ComponentChildren;
};

/**
 * A grid that draws only what can be seen of it, once it is long. Its columns and the height of a row are read from its
 * style (`grid-template-columns`, `grid-auto-rows`), so that both have one source.
 */
export const VirtualGrid = ({ class: name, name: label, count, render }: VirtualGridProps) => {
  const grid = useRef<HTMLUListElement>(null);
  const [shown, setShown] = useState<GridWindow>(() => ({
    from: 0,
    to: Math.min(count, virtualAbove),
    before: 0,
    after: 0,
  }));
  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return undefined;
    const measure = () => setShown((before) => sameOr(before, measured(element, count)));
    measure();
    const stop = new AbortController();
    const options = { signal: stop.signal, passive: true, capture: true };
    document.addEventListener('scroll', measure, options);
    const sizes = new ResizeObserver(measure);
    sizes.observe(scrollerOf(element));
    return () => {
      stop.abort();
      sizes.disconnect();
    };
  }, [count]);
  const { from, to, before, after } = shown;
  const indices = Array.from({ length: Math.max(0, Math.min(to, count) - from) }, (_, offset) => from + offset);
  return (
    <ul
      ref={grid}
      class={name}
      aria-label={label}
      style={{ paddingBlockStart: `${before}px`, paddingBlockEnd: `${after}px` }}
    >
      {indices.map(render)}
    </ul>
  );
};

const measured = (element: HTMLElement, count: number): GridWindow => {
  const style = getComputedStyle(element);
  const scroller = scrollerOf(element);
  return gridWindow({
    count,
    columns: style.gridTemplateColumns.split(' ').length,
    rowHeight: Number.parseFloat(style.gridAutoRows),
    scrolled: scroller.getBoundingClientRect().top - element.getBoundingClientRect().top,
    viewport: scroller.clientHeight,
  });
};

/** The nearest ancestor that scrolls: which one it is differs between a phone and a wide screen. */
const scrollerOf = (element: HTMLElement): HTMLElement => {
  for (let parent = element.parentElement; parent !== null; parent = parent.parentElement) {
    const { overflowY } = getComputedStyle(parent);
    if (overflowY === 'auto' || overflowY === 'scroll') return parent;
  }
  return document.documentElement;
};

const sameOr = (before: GridWindow, after: GridWindow): GridWindow =>
  before.from === after.from && before.to === after.to && before.before === after.before && before.after === after.after
    ? before
    : after;
