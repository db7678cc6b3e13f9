import type { ModerationEntry } from '@rostrum/shared/protocol/room.ts';
import { mayAct } from '@rostrum/shared/room/permissions.ts';
import { useEffect } from 'preact/hooks';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { Button } from '../../ui/button.tsx';
import { Sheet } from '../../ui/sheet.tsx';
import { EmptyState, Loading, Skeleton } from '../../ui/states.tsx';
import { RemedyButton } from '../shell/page-parts.tsx';
import { useRoom } from './room-context.ts';

/** Every act of moderation in this room (MO-4): who, whom, what, why, when; and the way to take it back. */
export const LogSheet = ({ onClose }: { readonly onClose: () => void }) => {
  const { log } = useRoom();
  const words = useMessages().room.log;
  useEffect(() => void log.load(), [log]);
  return (
    <Sheet title={words.title} onClose={onClose} broad>
      <Entries />
    </Sheet>
  );
};

const Entries = () => {
  const { log } = useRoom();
  const words = useMessages().room.log;
  const failure = log.failure.value;
  const entries = log.entries.value;
  if (log.status.value === 'failed' && failure !== undefined) {
    return (
      <EmptyState title={failure.text}>
        <RemedyButton failure={failure} retry={() => void log.load()} />
      </EmptyState>
    );
  }
  if (log.status.value !== 'ready' && entries.length === 0) {
    return (
      <Loading>
        <Skeleton width="100%" height="var(--touch-large)" />
        <Skeleton width="100%" height="var(--touch-large)" />
      </Loading>
    );
  }
  if (entries.length === 0) return <EmptyState title={words.empty} />;
  return (
    <ol class="log">
      {entries.map((entry, index) => (
        <Entry key={entry.entryId} entry={entry} newest={isNewestAbout(entries, index)} />
      ))}
    </ol>
  );
};

/** Only the newest act that keeps somebody out offers to take it back. */
const isNewestAbout = (entries: readonly ModerationEntry[], index: number): boolean => {
  const entry = entries[index];
  return entries.findIndex((other) => keepsOut(other) && other.userId === entry?.userId) === index;
};

const keepsOut = ({ act }: ModerationEntry): boolean => act === 'kick' || act === 'ban';

const Entry = ({ entry, newest }: { readonly entry: ModerationEntry; readonly newest: boolean }) => {
  const room = useRoom();
  const { messages, formats } = useLanguage();
  const words = messages.room.log;
  const { act, at, byName, userId, displayName, reason } = entry;
  const name = displayName ?? words.somebody;
  const out = newest && userId !== null && room.log.excluded.value.has(userId) && mayAct('unban', room.role.value);
  return (
    <li class="log__entry">
      <div class="log__words">
        <p class="log__act">{words.entry[act](name)}</p>
        {reason !== null && reason !== '' && <p class="log__reason">{words.reason(reason)}</p>}
        <p class="log__by">
          {words.by(byName)} · <time dateTime={new Date(at).toISOString()}>{formats.clock(at)}</time>
        </p>
      </div>
      {out && (
        <Button
          aria-label={words.liftName(name)}
          onClick={() => void room.commands.liftExclusion({ userId, displayName: name })}
        >
          {words.lift}
        </Button>
      )}
    </li>
  );
};
