import type { Formats } from '../formats.ts';

export const microphone = (f: Formats) => ({
  /** On the button. */
  button: {
    off: 'Turn on mic',
    asking: 'Allow the microphone',
    live: 'Mute',
    muted: 'Unmute',
    'muted-by-moderator': 'Unmute',
    locked: 'Muted',
    failed: 'Try again',
  },
  /** On the line above the button. */
  status: {
    off: 'Your microphone is off',
    asking: 'Your browser asks for the microphone. Allow it.',
    live: 'You are live',
    muted: 'You are muted',
  },
  mutedBy: (name: string, reason: string | null) =>
    reason === null ? `${name} muted you. You may unmute.` : `${name} muted you: “${reason}”. You may unmute.`,
  lockedBy: (name: string, reason: string | null) =>
    reason === null
      ? `${name} muted you. Only a moderator can unmute you.`
      : `${name} muted you: “${reason}”. Only a moderator can unmute you.`,
  settings: 'Microphone settings',
  device: 'Microphone',
  standardDevice: 'Standard microphone',
  unnamedDevice: (place: number) => `Microphone ${f.number(place)}`,
  noDevices: 'No microphone was found. Plug one in.',
  processing: 'Noise and echo suppression',
  processingHint: 'Makes speech clear. Turn it off for instruments.',
  level: 'Level',
  levelNow: (percent: number) => `${f.number(percent)} %`,
  startTest: 'Test the microphone',
  test: 'Record and play back',
  testHint: 'Records 5 seconds and plays them to you. Nobody else hears it.',
  testHintLive: 'Records 5 seconds and plays them to you. You are live: mute first if the room should not hear it.',
  recording: 'Recording. Say something.',
  playing: 'Playing it back.',
  cannotRecord: 'This browser cannot record a test. The level shows whether you are heard.',
  apply: 'Use this microphone',
  fellBack: (label: string) =>
    `Your microphone was disconnected. ${label === '' ? 'Another one' : label} is used instead.`,
  notSwitched: (why: string) => `You keep the microphone of before. ${why}`,
});
