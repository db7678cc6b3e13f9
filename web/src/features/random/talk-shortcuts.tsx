import { ShortcutList } from '../shell/shortcut-list.tsx';
import { useTalkWords } from './talk-context.ts';

/** What the keys do on this page. */
export const TalkShortcuts = ({ onClose }: { readonly onClose: () => void }) => {
  const words = useTalkWords().keys;
  const { names } = words;
  return (
    <ShortcutList
      onClose={onClose}
      keys={[
        [names.space, words.start],
        [names.m, words.mute],
        [names.escape, words.next],
        [names.c, words.chat],
        [names.question, words.help],
      ]}
    />
  );
};
