import { sizes } from '@rostrum/shared/limits.ts';
import type { CreateRoom, RoomChanges, RoomInfo } from '@rostrum/shared/protocol/room.ts';
import type { Messages } from '../i18n/index.ts';
import type { AudioQuality, Category } from './choices.ts';
import { lineFault, paragraphFault, type TextFault } from './words.ts';

/** What is written in the form: numbers are text until they are checked. */
export type RoomDraft = {
  readonly title: string;
  readonly description: string;
  readonly category: Category;
  readonly language: string;
  readonly audioQuality: AudioQuality;
  readonly tags: readonly string[];
  readonly maxSpeakers: string;
  readonly maxParticipants: string;
  readonly anyoneCanSpeak: boolean;
  readonly allowHandRaise: boolean;
  readonly hideParticipants: boolean;
};

export type RoomField = keyof RoomDraft;
export type RoomFormErrors = { readonly [field in RoomField]?: string };

/** Fields that are folded away until somebody wants them, or one of them is at fault. */
export const advancedFields: readonly RoomField[] = [
  'tags',
  'maxSpeakers',
  'maxParticipants',
  'anyoneCanSpeak',
  'allowHandRaise',
  'hideParticipants',
];

export const numberRanges = {
  maxSpeakers: { min: 1, max: sizes.maxSpeakers },
  maxParticipants: { min: 2, max: sizes.maxParticipants },
} as const;

export const newDraft = (language: string): RoomDraft => ({
  title: '',
  description: '',
  category: 'casual',
  language,
  audioQuality: 'medium',
  tags: [],
  maxSpeakers: String(sizes.defaultMaxSpeakers),
  maxParticipants: String(sizes.defaultMaxParticipants),
  anyoneCanSpeak: false,
  allowHandRaise: true,
  hideParticipants: false,
});

export const draftOf = (info: RoomInfo): RoomDraft => ({
  title: info.title,
  description: info.description,
  category: info.category,
  language: info.language,
  audioQuality: info.audioQuality,
  tags: info.tags,
  maxSpeakers: String(info.maxSpeakers),
  maxParticipants: String(info.maxParticipants),
  anyoneCanSpeak: info.permissions.anyoneCanSpeak,
  allowHandRaise: info.permissions.allowHandRaise,
  hideParticipants: info.privacy.hideParticipants,
});

/** Every field that is at fault, with what to do about it. */
export const checkDraft = (draft: RoomDraft, messages: Messages): RoomFormErrors => {
  const words = messages.roomForm.errors;
  const ofText = (fault: TextFault | undefined, max: number) => {
    if (fault === undefined) return undefined;
    if (fault === 'missing') return words.titleMissing;
    return fault === 'too-long' ? words.tooLong(max) : words.unprintable;
  };
  const ofNumber = (field: keyof typeof numberRanges) => {
    const { min, max } = numberRanges[field];
    const value = Number(draft[field]);
    const fits = draft[field].trim() !== '' && Number.isInteger(value) && value >= min && value <= max;
    return fits ? undefined : words.number(min, max);
  };
  const found = {
    title: ofText(lineFault(draft.title, sizes.title, 1), sizes.title),
    description: ofText(paragraphFault(draft.description, sizes.description), sizes.description),
    tags: draft.tags.length > sizes.tags ? words.tooManyTags(sizes.tags) : undefined,
    maxSpeakers: ofNumber('maxSpeakers'),
    maxParticipants: ofNumber('maxParticipants'),
  };
  return Object.fromEntries(Object.entries(found).filter(([, error]) => error !== undefined));
};

export const toCreate = (draft: RoomDraft): CreateRoom => ({
  title: draft.title.trim(),
  description: draft.description.trim(),
  type: 'public',
  category: draft.category,
  language: draft.language,
  audioQuality: draft.audioQuality,
  tags: [...draft.tags],
  maxSpeakers: Number(draft.maxSpeakers),
  maxParticipants: Number(draft.maxParticipants),
  permissions: { anyoneCanSpeak: draft.anyoneCanSpeak, allowHandRaise: draft.allowHandRaise },
  privacy: { hideParticipants: draft.hideParticipants },
});

/** Only what differs from the room as it is (RM-8): two people who edit do not undo each other. */
export const toChanges = (info: RoomInfo, draft: RoomDraft): RoomChanges => {
  const title = draft.title.trim();
  const description = draft.description.trim();
  const maxSpeakers = Number(draft.maxSpeakers);
  const maxParticipants = Number(draft.maxParticipants);
  const { anyoneCanSpeak, allowHandRaise, hideParticipants } = draft;
  const permissions = {
    ...(anyoneCanSpeak === info.permissions.anyoneCanSpeak ? {} : { anyoneCanSpeak }),
    ...(allowHandRaise === info.permissions.allowHandRaise ? {} : { allowHandRaise }),
  };
  const sameTags = draft.tags.length === info.tags.length && draft.tags.every((tag, index) => tag === info.tags[index]);
  return {
    ...(title === info.title ? {} : { title }),
    ...(description === info.description ? {} : { description }),
    ...(draft.category === info.category ? {} : { category: draft.category }),
    ...(draft.language === info.language ? {} : { language: draft.language }),
    ...(sameTags ? {} : { tags: [...draft.tags] }),
    ...(maxSpeakers === info.maxSpeakers ? {} : { maxSpeakers }),
    ...(maxParticipants === info.maxParticipants ? {} : { maxParticipants }),
    ...(Object.keys(permissions).length === 0 ? {} : { permissions }),
    ...(hideParticipants === info.privacy.hideParticipants ? {} : { privacy: { hideParticipants } }),
  };
};

/** The field that a path of the server's names: `permissions.anyoneCanSpeak` is `anyoneCanSpeak`, `tags.0` is `tags`. */
export const fieldOf = (path: string): RoomField | undefined => {
  const parts = path.split('.').filter((part) => part !== 'changes');
  const known = Object.keys(newDraft('en')) as RoomField[];
  return known.find((field) => parts.includes(field));
};
