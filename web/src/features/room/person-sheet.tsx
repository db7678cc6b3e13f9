import { useComputed } from '@preact/signals';
import type { Participant } from '@rostrum/shared/protocol/room.ts';
import { mayAct, onStage } from '@rostrum/shared/room/permissions.ts';
import { useEffect, useId, useState } from 'preact/hooks';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { useApp } from '../../state/app.ts';
import { actsOn, dangerous, type PersonAct } from '../../state/room/acts.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { BanIcon, FlagIcon, SpeakerIcon } from '../../ui/icons.tsx';
import { Sheet } from '../../ui/sheet.tsx';
import { LazyReportSheet } from '../shell/safety-sheets.tsx';
import { RoleMark } from './face.tsx';
import { actIcons, actName, asksFirst, ConfirmAct } from './person-acts.tsx';
import { useRoom } from './room-context.ts';
import './person.css';

type PersonSheetProps = { readonly userId: string; readonly onClose: () => void };

/** Everything about one person: who they are, how loud, and what one may do (RO-2). */
export const PersonSheet = ({ userId, onClose }: PersonSheetProps) => {
  const room = useRoom();
  const words = useMessages().room;
  const [asked, setAsked] = useState<PersonAct | 'report'>();
  const person = room.people.person(userId).value;
  useEffect(() => {
    // Whether somebody may raise a hand is known from the log alone.
    if (mayAct('see-moderation', room.role.peek()) && room.log.status.peek() === 'idle') void room.log.load();
  }, [room]);
  if (person === undefined) return null;
  const { participant, present } = person;
  const { displayName } = participant;
  if (asked === 'report') return <ReportPerson participant={participant} onClose={onClose} />;
  if (asked !== undefined)
    return <ConfirmAct act={asked} participant={participant} onBack={() => setAsked(undefined)} onClose={onClose} />;
  const run = (act: PersonAct) => {
    if (asksFirst(act)) {
      setAsked(act);
      return;
    }
    onClose();
    void room.commands.act(act, participant);
  };
  const own = userId === room.me;
  return (
    <Sheet title={own ? words.namedYou(displayName) : displayName} onClose={onClose}>
      <Portrait participant={participant} present={present} />
      {!own && present && onStage(participant.role) && <Volume userId={userId} name={displayName} />}
      <Acts participant={participant} present={present} onAct={run} />
      {!own && <KeepAway participant={participant} onReport={() => setAsked('report')} onClose={onClose} />}
    </Sheet>
  );
};

const Portrait = ({ participant, present }: { readonly participant: Participant; readonly present: boolean }) => {
  const { clock } = useRoom();
  const { messages, formats } = useLanguage();
  const { userId, displayName, role, microphone, away, joinedAt } = participant;
  const words = messages.room;
  const facts = [
    ...(onStage(role) && present ? [words.microphones[microphone]] : []),
    ...(away ? [words.away] : []),
    present
      ? messages.acts.joinedAt(formats.ago(Math.max(0, clock.everyHalfMinute.value - joinedAt)))
      : messages.acts.hasLeft,
  ];
  return (
    <div class="portrait">
      <Avatar userId={userId} name={displayName} size="stage" />
      <div>
        <RoleMark role={role} />
        <p class="portrait__facts">{facts.join(' · ')}</p>
      </div>
    </div>
  );
};

const Volume = ({ userId, name }: { readonly userId: string; readonly name: string }) => {
  const { session } = useRoom();
  const words = useMessages().acts;
  const id = useId();
  const [volume, setVolume] = useState(() => Math.round(session.volumeOf(userId) * 100));
  return (
    <div class="volume">
      <label class="volume__label" for={id}>
        <SpeakerIcon />
        <span aria-hidden="true">{words.volumeShort}</span>
        <span class="visually-hidden">{words.volume(name)}</span>
      </label>
      <input
        id={id}
        class="range"
        type="range"
        min="0"
        max="100"
        step="5"
        value={volume}
        onInput={(event) => {
          const percent = event.currentTarget.valueAsNumber;
          setVolume(percent);
          session.setVolume(userId, percent / 100);
        }}
      />
    </div>
  );
};

type ActsProps = {
  readonly participant: Participant;
  readonly present: boolean;
  readonly onAct: (act: PersonAct) => void;
};

const Acts = ({ participant, present, onAct }: ActsProps) => {
  const room = useRoom();
  const words = useMessages().acts;
  const { userId, displayName } = participant;
  const acts = useComputed(() => {
    const { self, staff } = room.view.value;
    return actsOn({
      me: self,
      them: participant,
      present,
      handRaised: staff?.hands.some((hand) => hand.userId === userId) ?? false,
      invited: staff?.invitations.some((open) => open.userId === userId) ?? false,
      handWithdrawn: room.log.handless.value.has(userId),
    });
  }).value;
  if (acts.length === 0) return null;
  const own = room.role.value === 'host';
  return (
    <ul class="acts" aria-label={words.actions}>
      {acts.map((act) => {
        const Shape = actIcons[act];
        return (
          <li key={act}>
            <button
              type="button"
              class={dangerous.has(act) ? 'menu__item menu__item--danger' : 'menu__item'}
              onClick={() => onAct(act)}
            >
              <Shape />
              {actName(act, displayName, own, words)}
            </button>
          </li>
        );
      })}
    </ul>
  );
};

type KeepAwayProps = {
  readonly participant: Participant;
  readonly onReport: () => void;
  readonly onClose: () => void;
};

/** What everybody can do about anybody, whatever their role (SF-1, SF-4). */
const KeepAway = ({ participant, onReport, onClose }: KeepAwayProps) => {
  const { safety } = useApp();
  const words = useMessages().acts;
  const { displayName } = participant;
  const block = () => {
    onClose();
    void safety.block(participant);
  };
  return (
    <ul class="acts" aria-label={words.keepAway}>
      <li>
        <button type="button" class="menu__item" onClick={onReport}>
          <FlagIcon />
          {words.report(displayName)}
        </button>
      </li>
      <li>
        <button type="button" class="menu__item menu__item--danger" onClick={block}>
          <BanIcon />
          {words.block(displayName)}
        </button>
      </li>
    </ul>
  );
};

const ReportPerson = ({ participant, onClose }: Omit<KeepAwayProps, 'onReport'>) => {
  const { api, safety } = useApp();
  const { roomId } = useRoom();
  const { userId, displayName } = participant;
  return (
    <LazyReportSheet
      name={displayName}
      where="room"
      send={(type, text, done) => safety.report(() => api.reportPerson(roomId, userId, { type, text }), done)}
      onClose={onClose}
    />
  );
};
