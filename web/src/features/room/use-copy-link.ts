import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';

/** Copies the address of the room, to bring people in; where the browser does not let it, shows it. */
export const useCopyLink = (): (() => void) => {
  const { notices } = useApp();
  const words = useMessages().room;
  const copy = async () => {
    const link = location.href;
    try {
      await navigator.clipboard.writeText(link);
      notices.show({ text: words.linkCopied, tone: 'neutral' });
    } catch {
      notices.show({ text: words.linkNotCopied(link), tone: 'bad' });
    }
  };
  return () => void copy();
};
