import { useComputed } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { roomMenu } from '../../state/room/acts.ts';
import { Button } from '../../ui/button.tsx';
import { Switch } from '../../ui/field.tsx';
import {
  ClockIcon,
  EndIcon,
  InfoIcon,
  KeyboardIcon,
  LeaveIcon,
  LinkIcon,
  ListenersIcon,
  ListIcon,
  MoreIcon,
  MutedIcon,
  SignalIcon,
  SlidersIcon,
} from '../../ui/icons.tsx';
import { MenuButton, MenuItem } from '../../ui/popover.tsx';
import { useRoom } from './room-context.ts';
import { useCopyLink } from './use-copy-link.ts';
import { useLeave } from './use-leave.ts';
import './top-bar.css';

/** What the room is, how many are in it, and how well it gets through. */
export const TopBar = () => {
  const room = useRoom();
  const words = useMessages().room;
  const { title, language } = room.info.value;
  const askToLeave = useLeave();
  const heading = useRef<HTMLHeadingElement>(null);
  // What one tapped to come in is gone: the keyboard goes on from the name of the room, which is read.
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <header class="top">
      <div class="top__words">
        <h1 ref={heading} class="top__title" lang={language} tabIndex={-1}>
          {title}
        </h1>
        <Facts />
      </div>
      <RoomMenu />
      <Button class="top__leave" variant="neutral" icon={LeaveIcon} onClick={askToLeave}>
        {words.leaveRoom}
      </Button>
    </header>
  );
};

const Facts = () => {
  const room = useRoom();
  const { messages } = useLanguage();
  return (
    <p class="top__facts">
      <span class="top__fact">
        <ListenersIcon />
        {messages.home.listening(room.audienceCount.value)}
      </span>
      <Connection />
      <EndsSoon />
    </p>
  );
};

const bars = { good: 3, fair: 2, poor: 1, lost: 0 } as const;

const Connection = () => {
  const room = useRoom();
  const words = useMessages().room.quality;
  const { grade, lossPercent, jitterMs, roundTripMs } = room.quality.value;
  return (
    <span class={`top__fact top__fact--${grade}`} title={words.detail(lossPercent, jitterMs, roundTripMs)}>
      <SignalIcon bars={bars[grade]} />
      <span class="visually-hidden">{words[grade]}</span>
      <span class="top__word" aria-hidden="true">
        {words.short[grade]}
      </span>
    </span>
  );
};

/** A room that reached its longest time says so to the end (RM-3). */
const EndsSoon = () => {
  const room = useRoom();
  const words = useMessages().room;
  const endsAt = useComputed(() => room.view.value.endsAt).value;
  if (endsAt === null) return null;
  return (
    <span class="top__fact top__fact--poor top__ends">
      <ClockIcon />
      {words.endsIn(endsAt - room.clock.everyHalfMinute.value)}
    </span>
  );
};

const RoomMenu = () => {
  const room = useRoom();
  const messages = useMessages();
  const may = roomMenu(room.role.value);
  const open = (kind: 'settings' | 'log' | 'mute-all' | 'end' | 'about' | 'shortcuts') => () => {
    room.sheet.value = { kind };
  };
  const copyLink = useCopyLink();
  return (
    <MenuButton icon={MoreIcon} name={messages.room.menu}>
      <MenuItem icon={InfoIcon} onClick={open('about')}>
        {messages.room.about}
      </MenuItem>
      <MenuItem icon={LinkIcon} onClick={copyLink}>
        {messages.room.copyLink}
      </MenuItem>
      {may.settings && (
        <MenuItem icon={SlidersIcon} onClick={open('settings')}>
          {messages.acts.settings}
        </MenuItem>
      )}
      {may.log && (
        <MenuItem icon={ListIcon} onClick={open('log')}>
          {messages.acts.log}
        </MenuItem>
      )}
      {may.muteAll && (
        <MenuItem icon={MutedIcon} onClick={open('mute-all')}>
          {messages.acts.muteAll}
        </MenuItem>
      )}
      <MenuItem icon={KeyboardIcon} onClick={open('shortcuts')}>
        {messages.shortcuts.title}
      </MenuItem>
      <SoundSwitch />
      {may.end && (
        <MenuItem icon={EndIcon} danger onClick={open('end')}>
          {messages.acts.end}
        </MenuItem>
      )}
    </MenuButton>
  );
};

const SoundSwitch = () => {
  const { preferences } = useRoom();
  const words = useMessages().account;
  return (
    <div class="menu__switch">
      <Switch
        label={words.sounds}
        checked={preferences.sounds.value}
        onChange={(on) => {
          preferences.sounds.value = on;
        }}
      />
    </div>
  );
};
