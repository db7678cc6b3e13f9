import { outline } from './icons.tsx';

// Shapes that only the pages of calls have, so that nobody else loads them (WB-7).
export const VideoIcon = outline(
  <path d="M3.8 5.5h7.4a1.3 1.3 0 0 1 1.3 1.3v6.4a1.3 1.3 0 0 1-1.3 1.3H3.8a1.3 1.3 0 0 1-1.3-1.3V6.8a1.3 1.3 0 0 1 1.3-1.3Zm8.7 3.3 5-2.6v7.6l-5-2.6" />,
);
export const VideoOffIcon = outline(
  <path d="M7.8 5.5h3.4a1.3 1.3 0 0 1 1.3 1.3v2l5-2.6v7.6l-3.2-1.7M11.7 14.4a1.3 1.3 0 0 1-.5.1H3.8a1.3 1.3 0 0 1-1.3-1.3V6.8c0-.6.4-1.1.9-1.2M3 3l14 14" />,
);
export const ChatIcon = outline(
  <path d="M4.2 3.8h11.6a1.4 1.4 0 0 1 1.4 1.4v7.2a1.4 1.4 0 0 1-1.4 1.4H9.5L5.6 17v-3.2H4.2a1.4 1.4 0 0 1-1.4-1.4V5.2a1.4 1.4 0 0 1 1.4-1.4Z" />,
);
export const NextIcon = outline(<path d="M4.5 4.5v11L12 10 4.5 4.5Zm11 0v11" />);
export const HangUpIcon = outline(
  <path d="M2.6 11.9c-.5-.7-.4-1.6.2-2.2a10.4 10.4 0 0 1 14.4 0c.6.6.7 1.5.2 2.2l-.9 1.2c-.4.5-1.1.7-1.7.5l-1.7-.7c-.5-.2-.8-.7-.8-1.3v-1.3a8.6 8.6 0 0 0-4.6 0v1.3c0 .6-.3 1.1-.8 1.3l-1.7.7c-.6.2-1.3 0-1.7-.5l-.9-1.2Z" />,
);
export const SendIcon = outline(<path d="M17 3 8.8 11.2M17 3l-5 14-3.2-5.8L3 8l14-5Z" />);
export const StarIcon = outline(
  <path d="m10 2.8 2.2 4.6 5 .7-3.6 3.5.9 5L10 14.2l-4.5 2.4.9-5L2.8 8.1l5-.7L10 2.8Z" />,
);
export const HomeIcon = outline(<path d="m3 9.5 7-6 7 6M5 8v8.5h10V8M8.5 16.5v-4.5h3v4.5" />);
