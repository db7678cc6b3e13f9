import type { Formats } from '../formats.ts';

/** How people treat each other here: the house rules, reports and blocks. Loaded when somebody asks for them. */
export const safety = (f: Formats) => ({
  rules: {
    title: 'House rules',
    intro: 'Rostrum is for people who talk to each other. So that everybody can:',
    list: [
      'Be kind. No insults, no threats, no hate against anybody for who they are.',
      'Nothing sexual, and no nudity.',
      'Protect children. Whoever harms or endangers a child is banned and reported to the authorities.',
      'Respect privacy. Record nobody without their consent, and pass on nothing that is not yours.',
      'No advertising, no begging, no fraud.',
      'Say no when you want to. You can leave, block and report at any time.',
    ],
    outro: 'Whoever breaks these rules can be removed, suspended or banned.',
    accept: 'I accept the house rules',
  },

  report: {
    title: (name: string) => `Report ${name}`,
    introCall: (name: string) => `${name} is not told. The chat of this call goes along with the report.`,
    introRoom: (name: string) => `${name} is not told. The moderation log of this room goes along with the report.`,
    type: 'What is wrong?',
    types: {
      minor: 'A child is in danger, or is where only adults may be',
      threat: 'Threats or violence',
      sexual: 'Sexual content nobody asked for',
      harassment: 'Insults or harassment',
      hate: 'Hate against a group of people',
      spam: 'Advertising or fraud',
      other: 'Something else',
    },
    typeMissing: 'Choose what is wrong.',
    text: 'What happened?',
    textHint: 'Optional. What was said or shown, and when.',
    tooLong: (max: number) => `That is too long. Use ${f.number(max)} characters at most.`,
    unprintable: 'This has characters that cannot be shown. Take them out.',
    submit: (name: string) => `Report ${name}`,
    done: (name: string) => `Thank you. ${name} was reported.`,
  },
});
