import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Notices } from '../state/notices.ts';

/** Where sentences for screen readers come from. */
export const NoticesContext = createContext<Notices | undefined>(undefined);

/**
 * Two places that screen readers read aloud when something is added. They stand in the page and in every open dialog:
 * what lies behind a dialog is not read.
 */
export const LiveRegions = () => {
  const notices = useContext(NoticesContext);
  if (notices === undefined) return null;
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite" aria-atomic="false">
        {notices.polite.value.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
      <div class="visually-hidden" role="alert" aria-live="assertive" aria-atomic="false">
        {notices.assertive.value.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
    </>
  );
};
