import { lazily } from '../../ui/lazy.tsx';
import { LazyReportSheet, LazyRulesSheet } from '../shell/safety-sheets.tsx';
import { AgeSheet, BlockSheet, IdleSheet, LeaveRoomSheet } from './small-sheets.tsx';
import { useTalk } from './talk-context.ts';
import { TalkShortcuts } from './talk-shortcuts.tsx';

const DevicesSheet = lazily(async () => (await import('./devices-sheet.tsx')).DevicesSheet);

/** What lies over the page. Whether anybody is there goes before everything else: the call ends without an answer. */
export const TalkSheets = () => {
  const { sheet, phase, start, commands } = useTalk();
  const present = phase.value;
  const close = () => {
    sheet.value = undefined;
  };
  if (present.phase === 'call' && present.call.answerUntil !== null)
    return <IdleSheet key={present.call.answerUntil} until={present.call.answerUntil} />;
  const open = sheet.value;
  switch (open?.kind) {
    case undefined:
      return null;
    case 'rules':
      return <LazyRulesSheet onClose={close} onAccept={() => void start.acceptRules()} />;
    case 'age':
      return <AgeSheet onClose={close} />;
    case 'leave-room':
      return <LeaveRoomSheet onClose={close} />;
    case 'report':
      return (
        <LazyReportSheet
          key={open.about.sessionId}
          name={open.about.displayName}
          where="call"
          send={(type, text, done) => commands.report(open.about, type, text, done)}
          onClose={close}
        />
      );
    case 'block':
      return <BlockSheet about={open.about} onClose={close} />;
    case 'devices':
      return <DevicesSheet onClose={close} />;
    case 'shortcuts':
      return <TalkShortcuts onClose={close} />;
    default:
      return open satisfies never;
  }
};
