import { sizes } from '@rostrum/shared/limits.ts';
import type { RandomPhase } from '../../client/call-types.ts';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { endingOf } from '../../state/random/words.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { HomeIcon, NextIcon } from '../../ui/call-icons.tsx';
import { TextField } from '../../ui/field.tsx';
import { BanIcon, CheckIcon, FlagIcon } from '../../ui/icons.tsx';
import { Stars } from '../../ui/stars.tsx';
import { FormFailure, PageBar, useTitle } from '../shell/page-parts.tsx';
import { BarSlot, CallBar } from './call-bar.tsx';
import { ScreenTitle } from './screen-title.tsx';
import { useTalk, useTalkWords } from './talk-context.ts';
import './after.css';

type AfterProps = { readonly ended: Extract<RandomPhase, { phase: 'after' }> };

/** RD-9: how it was, in five stars and a line; report and block in plain sight; then the next person, or home. */
export const After = ({ ended }: AfterProps) => {
  const { start } = useTalk();
  const { router } = useApp();
  const words = useTalkWords();
  const { displayName, id } = ended.partner;
  useTitle(words.after.with(displayName));
  return (
    <div class="call">
      <PageBar />
      <main id="content" class="call__body" tabIndex={-1}>
        <div class="call__main aftercall">
          <Avatar userId={id} name={displayName} size="stage" />
          <div class="aftercall__words">
            <ScreenTitle class="talk__title">{words.after.with(displayName)}</ScreenTitle>
            <Facts ended={ended} />
          </div>
          {ended.durationMs !== null && <Rating />}
          <Safety />
          {ended.durationMs !== null && <Comment />}
          <FormFailure text={start.failure.value?.text} />
        </div>
      </main>
      <CallBar
        next={
          <BarSlot
            icon={NextIcon}
            text={start.busy.value ? words.starting : words.call.next}
            name={words.call.nextLong}
            tone="primary"
            keys="Space"
            onClick={() => void start.begin()}
          />
        }
        end={<BarSlot icon={HomeIcon} text={words.after.home} onClick={() => router.go({ page: 'home' })} />}
      />
    </div>
  );
};

const Facts = ({ ended }: AfterProps) => {
  const { formats } = useLanguage();
  const words = useTalkWords();
  const { durationMs } = ended;
  return (
    <>
      <p>{endingOf(ended, words)}</p>
      <p class="aftercall__time">
        {durationMs === null ? words.after.never : words.after.lasted(formats.duration(durationMs))}
      </p>
    </>
  );
};

const Rating = () => {
  const { verdict } = useTalk();
  const words = useTalkWords().after;
  return (
    <div class="rating">
      <Stars label={words.rate} value={verdict.stars.value} nameOf={words.stars} onChange={verdict.rate} />
      <p class="rating__kept" role="status">
        {verdict.kept.value !== 'nothing' && (
          <>
            <CheckIcon />
            {words.rated}
          </>
        )}
      </p>
    </div>
  );
};

/** One line about it, once there are stars. It stands last, so that nothing moves when it comes. */
const Comment = () => {
  const { verdict } = useTalk();
  const words = useTalkWords().after;
  const sent = verdict.kept.value === 'comment';
  const fault = verdict.fault.value;
  const faults = {
    missing: undefined,
    'too-long': words.commentTooLong(sizes.comment),
    unprintable: words.commentUnprintable,
  };
  if (verdict.stars.value === 0) return null;
  return (
    <form
      class="comment"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void verdict.send();
      }}
    >
      <TextField
        label={words.comment}
        hint={words.commentHint}
        error={fault && faults[fault]}
        value={verdict.comment.value}
        onInput={verdict.write}
        enterkeyhint="done"
      />
      <Button type="submit" aria-disabled={sent || verdict.comment.value.trim() === ''}>
        {sent ? words.sent : words.send}
      </Button>
    </form>
  );
};

const Safety = () => {
  const { about, commands, sheet, verdict } = useTalk();
  const messages = useMessages();
  const words = useTalkWords().after;
  const present = about.value;
  if (present === undefined) return null;
  const { displayName } = present;
  const [reported, blocked] = [verdict.reported.value, verdict.blocked.value];
  return (
    <div class="aftercall__safety">
      <Button
        icon={reported ? CheckIcon : FlagIcon}
        disabled={reported}
        onClick={() => {
          sheet.value = { kind: 'report', about: present };
        }}
      >
        {reported ? words.reported : messages.acts.report(displayName)}
      </Button>
      <Button
        variant="quiet-danger"
        icon={blocked ? CheckIcon : BanIcon}
        disabled={blocked}
        onClick={() => void commands.block(present)}
      >
        {blocked ? words.blocked : messages.acts.block(displayName)}
      </Button>
    </div>
  );
};
