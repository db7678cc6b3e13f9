import type { Formats } from '../formats.ts';
import { talkCall } from './talk-call.ts';

/** The page of random calls. Loaded with that page. */
export const talk = (f: Formats) => ({
  title: 'Talk to someone',
  start: 'Talk to someone',
  startReady: 'Start',
  keepWaiting: 'Keep waiting',
  starting: 'One moment…',
  opening: 'Opening',
  here: (count: number) =>
    count === 0
      ? 'Nobody is here right now. Be the first.'
      : f.plural(count, {
          one: `${f.number(count)} person is here now`,
          other: `${f.number(count)} people are here now`,
        }),

  mode: 'How do you want to talk?',
  modes: { voice: 'Voice', video: 'Video', text: 'Text' },

  languages: 'Languages you speak',
  addLanguage: 'Add a language',
  mostLanguages: (max: number) => `${f.number(max)} languages are the most.`,
  prefer: 'Prefer people who speak them',
  preferHint: 'In this order. It costs 5 seconds of waiting at most.',
  more: 'More options',
  interests: 'Interests',
  interestsHint: (max: number) => `Up to ${f.number(max)}. Press Enter after each.`,
  addInterest: 'Add',
  removeInterest: (interest: string) => `Remove the interest ${interest}`,
  nearby: (region: string) => `Prefer people from ${region}`,
  hideAddress: 'Hide my address',
  hideAddressHint:
    'The call goes through a relay, so the other cannot see your network address. It may take a moment longer.',
  addressHidden: 'Your network address is hidden from the other: calls go through a relay.',

  filters: {
    title: 'Whom you would like to meet',
    hint: 'If nobody fits, these count less and less after 15 seconds.',
    gender: 'Gender',
    age: 'Age',
    reputation: 'Reputation',
    genders: { female: 'Women', male: 'Men', other: 'Others' },
    anyReputation: 'Anybody',
    minReputation: (least: number) => `At least ${f.number(least)} of 100`,
    about: 'About you',
    aboutHint: 'Only for finding each other. It is never shown.',
    you: { gender: 'Your gender', age: 'Your age', female: 'Woman', male: 'Man', other: 'Other', unsaid: 'Not said' },
  },

  preview: {
    check: { voice: 'Check your microphone', video: 'Check your camera and microphone' },
    asking: {
      voice: 'Your browser asks for the microphone. Allow it.',
      video: 'Your browser asks for the camera and the microphone. Allow both.',
    },
    ready: { voice: 'Nobody hears you yet.', video: 'Nobody sees or hears you yet.' },
    level: 'Level',
    picture: 'Your own picture',
    devices: 'Microphone and camera',
    microphone: 'Microphone',
    camera: 'Camera',
    standardCamera: 'Standard camera',
    unnamedCamera: (place: number) => `Camera ${f.number(place)}`,
    talkByVoice: 'Talk without a camera',
    talkByText: 'Write instead',
    cameraFailures: {
      denied: 'Your browser blocks the camera on this page. Allow it beside the address, then try again.',
      missing: 'No camera was found. Plug one in and try again.',
      busy: 'Your camera is in use by another app. Close it and try again.',
      lost: 'Your camera was disconnected. Plug it in again or choose another one.',
      unsupported: 'This browser cannot use a camera here. Open the page over HTTPS in a recent browser.',
      refused: 'The server did not take your camera. Try again in a moment.',
    },
  },

  unavailable: {
    title: 'Talking to someone is switched off for now',
    reason: (reason: string) => `The reason given: “${reason}”`,
    until: (time: string) => `It is expected back at ${time}.`,
    later: 'Try again later. The rooms are open.',
  },

  age: {
    title: (years: number) => `Are you ${f.number(years)} or older?`,
    text: (years: number) =>
      `You meet strangers here, so this is for people of ${f.number(years)} and older. Only your answer is kept, and you are asked once.`,
    yes: (years: number) => `I am ${f.number(years)} or older`,
    no: 'No',
    refused: (years: number) =>
      `Talking to strangers is for people of ${f.number(years)} and older. The rooms are open.`,
  },

  leaveRoom: {
    title: 'Leave your room first?',
    text: 'You are listening to a room in another window. You can only be in one place.',
    confirm: 'Leave the room and talk',
  },

  search: {
    title: 'Looking for somebody',
    seconds: (count: number) => `${f.number(count)} s`,
    alone: 'Nobody else is waiting right now. Whoever comes next is yours.',
    place: (position: number, waiting: number) =>
      `You are number ${f.number(position)} of ${f.number(waiting)} waiting.`,
    hold: (languages: readonly string[], seconds: number) =>
      languages.length === 0
        ? `Looking for somebody who speaks your language, for ${f.number(seconds)} more s.`
        : `Looking for somebody who speaks ${f.list(languages)}, for ${f.number(seconds)} more s.`,
    relaxed: (what: readonly string[]) => `Nobody fits so far, so you meet people whatever their ${f.list(what)}.`,
    filters: { reputation: 'reputation', gender: 'gender', age: 'age' },
    stop: 'Stop',
    partnerGone: 'The other one went on. You are first in line again.',
    notConnected: 'That connection did not come about. You are first in line again.',
    notConnectedOften: (times: number) => `${f.number(times)} connections in a row did not come about.`,
    relayFromNow: 'Your calls go through a relay from now on, which works in most networks.',
    findings: {
      'udp-blocked': 'Your network seems to block calls. Try another one, such as your phone’s own.',
      'strict-network': 'Your network lets few direct connections through. Another one may help.',
      'no-network': 'Your device seems to be offline. Check its connection.',
      unknown: '',
    },
  },

  out: {
    timeout: {
      title: 'Nobody came along in a minute',
      text: 'You were taken out of the line. Try once more, or another way to talk.',
    },
    elsewhere: { title: 'You are looking on another device', text: 'You can only wait in one place.' },
    'joined-elsewhere': { title: 'Your call goes on on another device', text: 'You can only talk in one place.' },
    room: { title: 'You went into a room', text: 'You can only be in one place, so you were taken out of the line.' },
    lost: {
      title: 'The connection was away for too long',
      text: 'You were taken out of the line. Check your connection and try again.',
    },
    'server-stopped': { title: 'The server was stopped', text: 'Try again in a moment.' },
    here: 'Continue here',
    again: 'Try again',
    back: 'Back',
  },

  ...talkCall(f),
});
