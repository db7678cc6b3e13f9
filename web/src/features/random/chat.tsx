import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import type { CallSnapshot, ChatLine } from '../../client/call-types.ts';
import { useLanguage } from '../../i18n/index.ts';
import { IconButton } from '../../ui/button.tsx';
import { SendIcon } from '../../ui/call-icons.tsx';
import { CloseIcon } from '../../ui/icons.tsx';
import { chatControlId } from './call-controls.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import './chat.css';

type ChatProps = {
  readonly call: CallSnapshot;
  /** The chat is the call: there is nothing to close. */
  readonly first?: boolean;
  /** It stands in a sheet, which has a heading of its own. */
  readonly bare?: boolean;
};

/** What is written in a call (RD-10). */
export const Chat = ({ call, first = false, bare = false }: ChatProps) => {
  const { chat } = useTalk();
  const words = useTalkWords().chat;
  const close = () => {
    chat.toggle();
    // The keyboard goes on from where it came.
    document.getElementById(chatControlId)?.focus();
  };
  return (
    <section class={first ? 'chat chat--first' : 'chat'} aria-label={words.title}>
      {!bare && !first && (
        <div class="chat__head">
          <h2 class="section__title">{words.title}</h2>
          <IconButton icon={CloseIcon} name={words.close} onClick={close} />
        </div>
      )}
      <Lines call={call} hello={first} />
      <Write />
    </section>
  );
};

const Lines = ({ call, hello }: { readonly call: CallSnapshot; readonly hello: boolean }) => {
  const words = useTalkWords().chat;
  const list = useRef<HTMLDivElement>(null);
  const count = call.chat.length;
  // The newest line comes into sight whenever there is one more; in a sheet, once that is open.
  useEffect(() => {
    if (list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [count]);
  return (
    // What comes is said by the live regions of the page.
    <div ref={list} class="chat__lines" role="log" aria-live="off">
      <p class="chat__note">{words.kept}</p>
      {count === 0 && <p class="chat__empty">{hello ? words.emptyText(call.partner.displayName) : words.empty}</p>}
      {call.chat.map((line) => (
        <Line key={line.messageId} line={line} name={line.mine ? words.you : call.partner.displayName} />
      ))}
    </div>
  );
};

const Line = ({ line, name }: { readonly line: ChatLine; readonly name: string }) => {
  const { formats } = useLanguage();
  return (
    <div class={line.mine ? 'line line--mine' : 'line'}>
      <p class="line__by">
        {name} · <time dateTime={new Date(line.at).toISOString()}>{formats.clock(line.at)}</time>
      </p>
      <p class="line__text">{line.text}</p>
    </div>
  );
};

const Write = () => {
  const { chat } = useTalk();
  const words = useTalkWords().chat;
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const over = chat.over.value;
  useLayoutEffect(() => field.current?.focus({ preventScroll: true }), []);
  return (
    <form
      class="chat__write"
      onSubmit={(event) => {
        event.preventDefault();
        void chat.send();
      }}
    >
      <label class="visually-hidden" for={id}>
        {words.write}
      </label>
      <textarea
        ref={field}
        id={id}
        class="input chat__field"
        data-autofocus
        rows={1}
        placeholder={words.write}
        enterkeyhint="send"
        aria-invalid={over > 0}
        aria-describedby={over > 0 ? `${id}-over` : undefined}
        value={chat.draft.value}
        onInput={(event) => {
          chat.draft.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void chat.send();
        }}
      />
      <IconButton type="submit" variant="primary" icon={SendIcon} name={words.send} aria-disabled={over > 0} />
      {over > 0 && (
        <p id={`${id}-over`} class="field__error chat__over" role="alert">
          {words.tooLong(over)}
        </p>
      )}
    </form>
  );
};
