import { useLayoutEffect, useRef } from 'preact/hooks';
import './meter.css';

type MeterProps = {
  readonly name: string;
  /** Calls back with the loudness, 0 to 1; answers how to stop. */
  readonly follow: (draw: (level: number) => void) => () => void;
  readonly textOf: (percent: number) => string;
};

/** How loud the microphone is now. */
export const Meter = ({ name, follow, textOf }: MeterProps) => {
  const frame = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLSpanElement>(null);
  useLayoutEffect(
    () =>
      follow((level) => {
        const percent = Math.round(level * 100);
        if (bar.current !== null) bar.current.style.transform = `scaleX(${level.toFixed(3)})`;
        frame.current?.setAttribute('aria-valuenow', String(percent));
        frame.current?.setAttribute('aria-valuetext', textOf(percent));
      }),
    [follow, textOf],
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers draw a <meter> their own way, and none moves smoothly.
    <div
      ref={frame}
      class="meter"
      role="meter"
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={0}
    >
      <span ref={bar} class="meter__bar" />
    </div>
  );
};
