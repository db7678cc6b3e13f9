import { useContext, useLayoutEffect, useRef } from 'preact/hooks';
import { useMessages } from '../i18n/index.ts';
import type { Notice } from '../state/notices.ts';
import { Button, IconButton } from './button.tsx';
import { CloseIcon, WarnIcon } from './icons.tsx';
import { NoticesContext } from './live-regions.tsx';
import './toast.css';

/** The notices at the edge of the page. What they say is said aloud by the live regions, so these are silent. */
export const Toasts = () => {
  const notices = useContext(NoticesContext);
  const element = useRef<HTMLElement>(null);
  const messages = useMessages();
  const shown = notices?.shown.value ?? [];
  const newest = shown.at(-1)?.id;
  useLayoutEffect(() => {
    const layer = element.current;
    if (layer === null || typeof layer.showPopover !== 'function') return;
    // Shown anew for each notice, so that it lies above a dialog that was opened in the meantime.
    if (layer.matches(':popover-open')) layer.hidePopover();
    if (newest !== undefined) layer.showPopover();
  }, [newest]);
  return (
    <section ref={element} class="toasts" aria-label={messages.notices} popover="manual">
      {shown.map((notice) => (
        <Toast key={notice.id} notice={notice} />
      ))}
    </section>
  );
};

const Toast = ({ notice }: { readonly notice: Notice }) => {
  const messages = useMessages();
  const notices = useContext(NoticesContext);
  const { id, text, tone, action } = notice;
  const hold = () => notices?.hold(id);
  const release = () => notices?.release(id);
  const run = () => {
    notices?.dismiss(id);
    action?.run();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <fieldset> groups the fields of a form.
    <div
      class="toast"
      role="group"
      onPointerEnter={hold}
      onPointerLeave={release}
      onFocusCapture={hold}
      onBlurCapture={release}
    >
      {tone === 'bad' && <WarnIcon />}
      <p class="toast__text">{text}</p>
      {action && (
        <Button variant="quiet" class="toast__do" onClick={run}>
          {action.label}
        </Button>
      )}
      <IconButton icon={CloseIcon} name={messages.dismiss} onClick={() => notices?.dismiss(id)} />
    </div>
  );
};
