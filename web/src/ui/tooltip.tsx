import { useEffect, useRef } from 'preact/hooks';
import { placeBeside } from './place.ts';
import './tooltip.css';

/** Long enough that a pointer on its way elsewhere shows nothing. */
const delayMs = 500;

const tipped = (target: EventTarget | null): HTMLElement | undefined =>
  target instanceof Element ? (target.closest<HTMLElement>('[data-tip]') ?? undefined) : undefined;

/**
 * One tooltip for the whole page: it shows the name of a control that is only an icon, on hover and on keyboard focus.
 * Screen readers have the name already, so it is hidden from them. Escape takes it away (WCAG 1.4.13).
 */
export const TooltipHost = () => {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tip = element.current;
    if (tip === null || typeof tip.showPopover !== 'function') return undefined;
    return followTips(tip);
  }, []);
  return <div ref={element} class="tooltip" popover="manual" aria-hidden="true" />;
};

const followTips = (tip: HTMLElement): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hide = () => {
    clearTimeout(timer);
    if (tip.matches(':popover-open')) tip.hidePopover();
  };
  const show = (control: HTMLElement) => {
    tip.textContent = control.dataset['tip'] ?? '';
    tip.showPopover();
    placeBeside(tip, control.getBoundingClientRect());
  };
  const onOver = (event: PointerEvent) => {
    hide();
    const control = tipped(event.target);
    if (control !== undefined && event.pointerType === 'mouse') timer = setTimeout(show, delayMs, control);
  };
  const onFocus = (event: FocusEvent) => {
    const control = tipped(event.target);
    if (control?.matches(':focus-visible') === true) show(control);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') hide();
  };
  const stop = new AbortController();
  const options = { signal: stop.signal, passive: true };
  document.addEventListener('pointerover', onOver, options);
  document.addEventListener('pointerdown', hide, options);
  document.addEventListener('focusin', onFocus, options);
  document.addEventListener('focusout', hide, options);
  document.addEventListener('keydown', onKey, options);
  document.addEventListener('scroll', hide, { ...options, capture: true });
  return () => {
    stop.abort();
    hide();
  };
};
