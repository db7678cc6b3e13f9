import type { ComponentChildren } from 'preact';
import { useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { Switch } from '../../ui/field.tsx';
import { Sheet } from '../../ui/sheet.tsx';

/** What the keys do, and a way to turn single keys off. */
export const ShortcutsSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const { preferences } = useApp();
  const words = useMessages().shortcuts;
  return (
    <Sheet title={words.title} onClose={onClose}>
      <dl class="keys">
        <Key name={words.key.m}>{words.mute}</Key>
        <Key name={words.key.space}>{words.talk}</Key>
        <Key name={words.key.h}>{words.hand}</Key>
        <Key name={words.key.question}>{words.help}</Key>
        <Key name={words.key.escape}>{words.close}</Key>
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

const Key = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div class="keys__row">
    <dt class="keys__key">
      <kbd>{name}</kbd>
    </dt>
    <dd>{children}</dd>
  </div>
);
