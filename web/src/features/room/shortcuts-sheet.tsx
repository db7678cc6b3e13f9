import { useMessages } from '../../i18n/index.ts';
import { ShortcutList } from '../shell/shortcut-list.tsx';

/** What the keys do in a room. */
export const ShortcutsSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const words = useMessages().shortcuts;
  const { key } = words;
  return (
    <ShortcutList
      onClose={onClose}
      keys={[
        [key.m, words.mute],
        [key.space, words.talk],
        [key.h, words.hand],
        [key.question, words.help],
        [key.escape, words.close],
      ]}
    />
  );
};
