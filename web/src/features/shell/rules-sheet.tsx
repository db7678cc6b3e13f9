import type { SafetyMessages } from '../../i18n/index.ts';
import { useMessages } from '../../i18n/index.ts';
import { Button } from '../../ui/button.tsx';
import { Sheet, SheetFoot } from '../../ui/sheet.tsx';
import './rules.css';

export type RulesSheetProps = {
  readonly onClose: () => void;
  /** Where they have to be accepted before it goes on (ID-8). */
  readonly onAccept?: () => void;
};

/** The house rules, in words that everybody understands. */
export const RulesSheet = ({
  words,
  onClose,
  onAccept,
}: RulesSheetProps & { readonly words: SafetyMessages['rules'] }) => {
  const messages = useMessages();
  return (
    <Sheet title={words.title} onClose={onClose} alert={onAccept !== undefined}>
      <p>{words.intro}</p>
      <ul class="rules">
        {words.list.map((rule) => (
          <li key={rule}>{rule}</li>
        ))}
      </ul>
      <p class="field__hint">{words.outro}</p>
      <SheetFoot>
        {onAccept === undefined ? (
          <Button variant="primary" onClick={onClose}>
            {messages.close}
          </Button>
        ) : (
          <>
            <Button variant="quiet" onClick={onClose}>
              {messages.cancel}
            </Button>
            <Button variant="primary" onClick={onAccept}>
              {words.accept}
            </Button>
          </>
        )}
      </SheetFoot>
    </Sheet>
  );
};
