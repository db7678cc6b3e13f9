import type { Formats } from '../formats.ts';
import { acts } from './acts.ts';
import { common } from './common.ts';
import { failures } from './failures.ts';
import { home } from './home.ts';
import { microphone } from './microphone.ts';
import { room } from './room.ts';
import { roomForm } from './room-form.ts';

export const english = (formats: Formats) => ({
  ...common(formats),
  home: home(formats),
  roomForm: roomForm(formats),
  room: room(formats),
  acts: acts(formats),
  microphone: microphone(formats),
  failures: failures(formats),
});
