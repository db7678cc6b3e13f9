import { useLayoutEffect, useRef } from 'preact/hooks';
import './ring.css';

/** How far the ring reaches at the loudest voice. */
const reach = 0.1;

type RingProps = {
  /** Calls back with the loudness, and whether there is any; answers how to stop. */
  readonly follow: (draw: (level: number, speaking: boolean) => void) => () => void;
};

/** The ring around whoever speaks. Loudness goes straight to the element: no component is drawn again for it (WB-7). */
export const Ring = ({ follow }: RingProps) => {
  const element = useRef<HTMLSpanElement>(null);
  useLayoutEffect(
    () =>
      follow((level, speaking) => {
        const style = element.current?.style;
        if (style === undefined) return;
        style.opacity = speaking ? '1' : '';
        style.transform = speaking ? `scale(${(1 + reach * level).toFixed(3)})` : '';
      }),
    [follow],
  );
  return <span ref={element} class="ring" />;
};
