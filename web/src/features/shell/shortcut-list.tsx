import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { Switch } from '../../ui/field.tsx';
import { Sheet } from '../../ui/sheet.tsx';

type ShortcutListProps = {
  readonly onClose: () => void;
  /** The names of keys, and what they do. */
  readonly keys: readonly (readonly [name: string, does: string])[];
};

/** What the keys do, and a way to turn single keys off (WCAG 2.1.4). */
export const ShortcutList = ({ onClose, keys }: ShortcutListProps) => {
  const { preferences } = useApp();
  const words = useMessages().shortcuts;
  return (
    <Sheet title={words.title} onClose={onClose}>
      <dl class="keys">
        {keys.map(([name, does]) => (
          <div key={name} class="keys__row">
            <dt class="keys__key">
              <kbd>{name}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <Switch
        label={words.enabled}
        hint={words.enabledHint}
        checked={preferences.shortcuts.value}
        onChange={(on) => {
          preferences.shortcuts.value = on;
        }}
      />
    </Sheet>
  );
};
