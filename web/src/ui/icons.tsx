import type { ComponentChildren } from 'preact';

/** One outline set, 20 px. An icon is decoration: its control or its text has the name. */
export const outline = (shape: ComponentChildren) => () => (
  <svg
    class="icon"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    {shape}
  </svg>
);

export type Icon = ReturnType<typeof outline>;

const capsule = 'M10 2.5a2.6 2.6 0 0 0-2.6 2.6v4.3a2.6 2.6 0 0 0 5.2 0V5.1A2.6 2.6 0 0 0 10 2.5Z';
const stand = 'M4.6 9.4a5.4 5.4 0 0 0 10.8 0M10 14.8v2.7';

export const MicrophoneIcon = outline(<path d={`${capsule}${stand}`} />);
export const MutedIcon = outline(
  <path d="M12.6 8V5.1a2.6 2.6 0 0 0-5-1M7.4 7.4v2a2.6 2.6 0 0 0 4 2.2M4.6 9.4a5.4 5.4 0 0 0 8.6 4.4m1.7-2.2a5.4 5.4 0 0 0 .5-2.2M10 14.8v2.7M3 3l14 14" />,
);
export const LockIcon = outline(<path d="M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9" />);
export const HandIcon = outline(
  <path d="M6.5 10.5V5.2a1.2 1.2 0 0 1 2.4 0v3.6-5.3a1.2 1.2 0 0 1 2.4 0v5.3-4.1a1.2 1.2 0 0 1 2.4 0v6.1l.9-1.4a1.2 1.2 0 0 1 2 1.2c-.9 2.6-2.2 6.9-6.3 6.9-3.3 0-4.6-1.6-5.6-4.1l-1.2-2.9a1.2 1.2 0 0 1 2.1-1.1l.9 1.1" />,
);
export const LeaveIcon = outline(<path d="M8 3H4.5v14H8M12.5 6.5 16 10l-3.5 3.5M16 10H8" />);
export const StepDownIcon = outline(<path d="M3 5h5v4h5v4h4M6 12.5v4.5m0 0-2-2m2 2 2-2" />);
export const SlidersIcon = outline(
  <path d="M3 6h7m4 0h3M3 14h3m4 0h7M12 4.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6ZM8 12.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6Z" />,
);
export const MoreIcon = outline(<path d="M4.5 10h.01M10 10h.01M15.5 10h.01" stroke-width="2.6" />);
export const CloseIcon = outline(<path d="m5 5 10 10M15 5 5 15" />);
export const CheckIcon = outline(<path d="m4 10.5 4 4 8-9" />);
export const DownIcon = outline(<path d="m5 7.5 5 5 5-5" />);
export const UpIcon = outline(<path d="M10 16V4.5M5 9l5-5 5 5" />);
export const PlusIcon = outline(<path d="M10 4v12M4 10h12" />);
export const ListenersIcon = outline(
  <path d="M3 12v-2a7 7 0 0 1 14 0v2M3 12h2.5v4.5H4.5A1.5 1.5 0 0 1 3 15v-3Zm14 0h-2.5v4.5h1A1.5 1.5 0 0 0 17 15v-3Z" />,
);
export const SpeakerIcon = outline(
  <path d="M3.5 7.8v4.4h2.8L10 15.5v-11L6.3 7.8H3.5ZM13 7.5a3.6 3.6 0 0 1 0 5m2.3-7.3a6.8 6.8 0 0 1 0 9.6" />,
);
export const SearchIcon = outline(<path d="M8.8 3.5a5.3 5.3 0 1 1 0 10.6 5.3 5.3 0 0 1 0-10.6ZM12.7 12.7l4 4" />);
export const ClockIcon = outline(<path d="M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm0 3.2V10l2.6 1.8" />);
export const LinkIcon = outline(
  <path d="M8.5 11.5a3 3 0 0 0 4.2 0l2.6-2.6a3 3 0 0 0-4.2-4.2l-1 1m1.4 2.8a3 3 0 0 0-4.2 0l-2.6 2.6a3 3 0 0 0 4.2 4.2l1-1" />,
);
export const HostIcon = outline(<path d="m10 3 2.1 4.5 4.9.6-3.6 3.4.9 4.9L10 14l-4.3 2.4.9-4.9L3 8.1l4.9-.6L10 3Z" />);
export const ShieldIcon = outline(<path d="M10 2.8 4.3 5v4.6c0 3.6 2.4 6.1 5.7 7.6 3.3-1.5 5.7-4 5.7-7.6V5L10 2.8Z" />);
export const AwayIcon = outline(
  <path d="M3 3l14 14M5.6 10.8a6.4 6.4 0 0 1 3-1.7m3.6.4c.8.3 1.5.7 2.2 1.3M3 8a10 10 0 0 1 3-2m3-.9A10.2 10.2 0 0 1 17 8m-9 5.7a3 3 0 0 1 3.6-.2M10 16.5h.01" />,
);
export const KeyboardIcon = outline(
  <path d="M2.5 5.5h15v9h-15zM6 8.5h.01m2.66 0h.01m2.65 0h.01M14 8.5h.01M7 11.5h6" />,
);
export const ListIcon = outline(<path d="M7.5 5.5H17M7.5 10H17M7.5 14.5H17M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01" />);
export const InfoIcon = outline(<path d="M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm0 6v4.5m0-7h.01" />);
export const BanIcon = outline(<path d="M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14ZM5.2 5.2l9.6 9.6" />);
export const PersonOutIcon = outline(
  <path d="M8 3.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM2.5 16.5c.4-3 2.6-4.6 5.5-4.6 1.5 0 2.8.4 3.7 1.2M13 9.5h4.5" />,
);
export const PersonInIcon = outline(
  <path d="M8 3.5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM2.5 16.5c.4-3 2.6-4.6 5.5-4.6 1.5 0 2.8.4 3.7 1.2M15.2 7.3v4.5M13 9.5h4.5" />,
);
export const WarnIcon = outline(<path d="M10 3.2 2.5 16.3h15L10 3.2Zm0 5v3.6m0 2h.01" />);
export const RecordIcon = outline(<path d="M10 5.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Z" />);
export const SwapIcon = outline(<path d="M4 7h11m-3-3 3 3-3 3M16 13H5m3-3-3 3 3 3" />);
export const EndIcon = outline(<path d="M10 3v6.5M6.2 5.3a6.2 6.2 0 1 0 7.6 0" />);
export const HandOffIcon = outline(
  <path d="M6.5 10.5V8M8.9 8.8V3.5a1.2 1.2 0 0 1 2.4 0v5.3-4.1a1.2 1.2 0 0 1 2.4 0v6.1l.9-1.4a1.2 1.2 0 0 1 2 1.2c-.3 1-.7 2.2-1.2 3.3M13.6 16.6c-.9.7-2 1.1-3.3 1.1-3.3 0-4.6-1.6-5.6-4.1l-1.2-2.9a1.2 1.2 0 0 1 2.1-1.1l.9 1.1M3 3l14 14" />,
);

export const TalkIcon = outline(
  <path d="M3.6 3.5h8.3a1.2 1.2 0 0 1 1.2 1.2v4.6a1.2 1.2 0 0 1-1.2 1.2H7.2l-2.6 2.2v-2.2h-1a1.2 1.2 0 0 1-1.2-1.2V4.7a1.2 1.2 0 0 1 1.2-1.2Zm12 4h.8a1.2 1.2 0 0 1 1.2 1.2v4.6a1.2 1.2 0 0 1-1.2 1.2h-1v2.2l-2.6-2.2H9.4" />,
);
export const FlagIcon = outline(<path d="M4.5 17V3.5m0 .7c3.6-2 6.8 1.8 10.8 0v7.3c-4 1.8-7.2-2-10.8 0" />);

/** Bars of a connection: as many are filled as it is good. */
export const SignalIcon = ({ bars }: { bars: 0 | 1 | 2 | 3 }) => (
  <svg class="icon" viewBox="0 0 20 20" fill="currentColor" aria-hidden="true">
    {[0, 1, 2].map((bar) => (
      <rect
        key={bar}
        x={3 + bar * 5}
        y={12 - bar * 4}
        width="3.6"
        height={5 + bar * 4}
        rx="1.2"
        opacity={bar < bars ? 1 : 0.28}
      />
    ))}
    {bars === 0 && <path d="m4 4 12 12" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />}
  </svg>
);
