import type { CallSnapshot } from '../../client/call-types.ts';
import { useLanguage, useMessages } from '../../i18n/index.ts';
import { Switch } from '../../ui/field.tsx';
import { BanIcon, FlagIcon, KeyboardIcon, MoreIcon, ShieldIcon, SignalIcon, SlidersIcon } from '../../ui/icons.tsx';
import { MenuButton, MenuItem } from '../../ui/popover.tsx';
import { ScreenTitle } from './screen-title.tsx';
import { useNow, useTalk, useTalkWords } from './talk-context.ts';
import './call-top.css';

type CallProps = { readonly call: CallSnapshot };

/** Who it is, for how long, how well, and whether nobody is in between. */
export const CallTop = ({ call }: CallProps) => (
  <header class="calltop">
    <div class="calltop__words">
      <ScreenTitle class="calltop__name">{call.partner.displayName}</ScreenTitle>
      <p class="calltop__facts">
        <Timer call={call} />
        <Quality call={call} />
      </p>
    </div>
    <SecurityCode call={call} />
    <CallMenu call={call} />
  </header>
);

const Timer = ({ call }: CallProps) => {
  const words = useTalkWords().call;
  return call.connectedAt === null ? (
    <span>{words.connecting(call.partner.displayName)}</span>
  ) : (
    <Running since={call.connectedAt} />
  );
};

const Running = ({ since }: { readonly since: number }) => {
  const now = useNow();
  const { formats } = useLanguage();
  const words = useTalkWords().call;
  return (
    <span class="calltop__timer" role="timer" aria-live="off" aria-label={words.timer}>
      {formats.stopwatch(now - since)}
    </span>
  );
};

const bars = { good: 3, fair: 2, poor: 1, lost: 0 } as const;

const Quality = ({ call }: CallProps) => {
  const messages = useMessages();
  const words = useTalkWords().call.quality;
  if (call.quality === null || call.phase === 'connecting') return null;
  const { grade, lossPercent, jitterMs, roundTripMs } = call.quality;
  return (
    <span
      class={`calltop__quality calltop__quality--${grade}`}
      title={messages.room.quality.detail(lossPercent, jitterMs, roundTripMs)}
    >
      <SignalIcon bars={bars[grade]} />
      <span class="visually-hidden">{words[grade]}</span>
      <span aria-hidden="true">{words.short[grade]}</span>
    </span>
  );
};

/** SE-9: equal at both ends when nobody is in between; RD-4: or the server is. */
const SecurityCode = ({ call }: CallProps) => {
  const words = useTalkWords().call.code;
  const code = call.securityCode;
  if (code === null && !call.throughSfu) return null;
  const shown = code ?? words.server;
  return (
    <MenuButton
      icon={ShieldIcon}
      name={code === null ? words.server : words.name(code)}
      class="code"
      face={
        <>
          <ShieldIcon />
          <span class="code__letters">{shown}</span>
        </>
      }
    >
      <div class="code__words">
        <p class="code__title">{code === null ? words.server : words.title}</p>
        {code !== null && <p class="code__large">{code}</p>}
        <p>{code === null ? words.serverText : words.text}</p>
        {code !== null && <p>{words.different}</p>}
      </div>
    </MenuButton>
  );
};

const CallMenu = ({ call }: CallProps) => {
  const { about, commands, sheet, verdict } = useTalk();
  const messages = useMessages();
  const words = useTalkWords().call;
  const { displayName } = call.partner;
  const ask = (kind: 'report' | 'block') => () => {
    const present = about.peek();
    if (present !== undefined) sheet.value = { kind, about: present };
  };
  const open = (kind: 'devices' | 'shortcuts') => () => {
    sheet.value = { kind };
  };
  return (
    <MenuButton icon={MoreIcon} name={words.menu}>
      {call.mode !== 'text' && (
        <MenuItem icon={SlidersIcon} onClick={open('devices')}>
          {words.devices}
        </MenuItem>
      )}
      {call.mode === 'video' && (
        <div class="menu__switch">
          <Switch
            label={words.audioOnly}
            hint={words.audioOnlyHint}
            checked={call.audioOnly}
            onChange={commands.setAudioOnly}
          />
        </div>
      )}
      <MenuItem icon={KeyboardIcon} onClick={open('shortcuts')}>
        {messages.shortcuts.title}
      </MenuItem>
      <MenuItem icon={FlagIcon} disabled={verdict.reported.value} onClick={ask('report')}>
        {messages.acts.report(displayName)}
      </MenuItem>
      <MenuItem icon={BanIcon} danger onClick={ask('block')}>
        {messages.acts.block(displayName)}
      </MenuItem>
    </MenuButton>
  );
};
