import type { Formats } from '../formats.ts';

export const common = (f: Formats) => ({
  appName: 'Rostrum',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  undo: 'Undo',
  retry: 'Try again',
  reload: 'Reload the page',
  goHome: 'Go to the rooms',
  loading: 'Loading',
  dismiss: 'Dismiss',
  notices: 'Notices',
  skipToContent: 'Skip to the content',
  charactersLeft: (left: number) =>
    f.plural(left, { one: `${f.number(left)} character left`, other: `${f.number(left)} characters left` }),
  pageTitle: (page: string) => `${page} · Rostrum`,

  signIn: {
    title: 'What should we call you?',
    intro: 'A name is all it takes. No e-mail, no password.',
    name: 'Your name',
    hint: 'Others see it.',
    submit: 'Continue',
    submitForRoom: 'Join the room',
    rulesBefore: 'By going on you accept the',
    rules: 'house rules',
    rulesAfter: '.',
    nameMissing: 'Write a name first.',
    nameTooLong: (max: number) => `That is too long. Use ${f.number(max)} characters at most.`,
    nameInvalid: 'This name has characters that cannot be shown. Use letters, numbers and signs.',
  },

  account: {
    menu: (name: string) => `Your account, ${name}`,
    signedInAs: (name: string) => `You are ${name}`,
    guest: 'Guest',
    member: 'Member',
    admin: 'Administrator',
    guestNote: 'A guest’s name is kept for 24 hours after the last visit.',
    sounds: 'Sounds',
    shortcuts: 'Keyboard shortcuts',
    signOut: 'Use another name',
  },

  shortcuts: {
    title: 'Keyboard shortcuts',
    enabled: 'Shortcuts on',
    enabledHint: 'Turn this off if a single key does something you did not mean.',
    mute: 'Mute or unmute your microphone',
    talk: 'Hold to talk while you are muted',
    hand: 'Raise or lower your hand',
    help: 'Show this list',
    close: 'Close what is open',
    key: { space: 'Space', escape: 'Esc', m: 'M', h: 'H', question: '?' },
  },

  notFound: {
    title: 'There is nothing here',
    text: 'The address may be wrong, or the room may be over.',
  },

  claim: {
    title: 'Become the administrator',
    intro: 'This link makes you the first administrator of this server. It works once.',
    name: 'Your name',
    submit: 'Become the administrator',
    done: (name: string) => `You are the administrator now, ${name}.`,
    refused: 'This link was used already, or it has expired. Make a new one on the server.',
  },
});
