import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useMessages } from '../i18n/index.ts';
import { IconButton } from './button.tsx';
import { CloseIcon } from './icons.tsx';
import { LiveRegions } from './live-regions.tsx';
import './sheet.css';

type SheetProps = {
  readonly title: string;
  readonly onClose: () => void;
  readonly broad?: boolean;
  /** An alert asks for an answer: a tap beside it does not close it. */
  readonly alert?: boolean;
  readonly children: ComponentChildren;
};

/**
 * A native modal dialog: from the bottom on a phone, in the middle on a wide screen. The browser keeps the focus inside
 * and gives it back afterwards. What is mounted is open.
 */
export const Sheet = ({ title, onClose, broad = false, alert = false, children }: SheetProps) => {
  const titleId = useId();
  const messages = useMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The first thing to be read is what this is about, unless a field asks for the focus.
    const first = element?.querySelector<HTMLElement>('[data-autofocus]') ?? heading.current;
    first?.focus({ preventScroll: true });
    return () => element?.close();
  }, []);
  const onCancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  const onPointerDown = (event: PointerEvent) => {
    const element = dialog.current;
    if (element !== null && event.target === element && !alert && isBeside(event, element)) onClose();
  };
  return (
    <dialog
      ref={dialog}
      class={broad ? 'sheet sheet--broad' : 'sheet'}
      role={alert ? 'alertdialog' : undefined}
      aria-labelledby={titleId}
      onCancel={onCancel}
      onPointerDown={onPointerDown}
    >
      <div class="sheet__head">
        <h2 ref={heading} id={titleId} class="sheet__title" tabIndex={-1}>
          {title}
        </h2>
        <IconButton icon={CloseIcon} name={messages.close} onClick={onClose} />
      </div>
      <div class="sheet__body">{children}</div>
      <LiveRegions />
    </dialog>
  );
};

const isBeside = ({ clientX, clientY }: PointerEvent, dialog: HTMLElement): boolean => {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
};

/** The answers at the end of a sheet; the one that does it stands last. */
export const SheetFoot = ({ children }: { readonly children: ComponentChildren }) => (
  <div class="sheet__foot">{children}</div>
);
