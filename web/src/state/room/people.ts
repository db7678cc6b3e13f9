import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Participant, RoomView } from '@rostrum/shared/protocol/room.ts';

/** Somebody, and whether they are in the room now: one may still act upon a person who has just left (MO-5). */
export type Person = { readonly participant: Participant; readonly present: boolean };

/**
 * Everybody in the room, each in a signal of their own: when one changes or speaks, only what shows that one is drawn
 * again (WB-7).
 */
export type People = {
  person(userId: string): ReadonlySignal<Person | undefined>;
  speaking(userId: string): ReadonlySignal<boolean>;
  /** Who speaks now. */
  readonly speakers: ReadonlySignal<ReadonlySet<string>>;
  takeView(view: RoomView): void;
  takeSpeaking(speakers: ReadonlySet<string>): void;
  /** Learns of people whom the view does not list: a page of a large audience. */
  learn(participants: readonly Participant[]): void;
};

/** Those who left long ago are forgotten beyond this many (RE-5). */
const mostKnown = 2000;

export const createPeople = (): People => {
  const people = new Map<string, Signal<Person | undefined>>();
  const speaking = new Map<string, Signal<boolean>>();
  const speakers = signal<ReadonlySet<string>>(new Set());
  let listed = new Set<string>();

  const person = (userId: string) => {
    const known = people.get(userId) ?? signal<Person | undefined>(undefined);
    people.set(userId, known);
    return known;
  };
  const speakingOf = (userId: string) => {
    const known = speaking.get(userId) ?? signal(speakers.peek().has(userId));
    speaking.set(userId, known);
    return known;
  };
  const take = (participant: Participant) => {
    const known = person(participant.userId);
    const before = known.peek();
    if (before?.participant !== participant || !before.present) known.value = { participant, present: true };
  };
  const forget = () => {
    if (people.size <= mostKnown) return;
    for (const [userId, known] of people) {
      if (people.size <= mostKnown) return;
      if (known.peek()?.present !== true) people.delete(userId);
    }
  };
  return {
    person,
    speaking: speakingOf,
    speakers,
    takeView: (view) =>
      batch(() => {
        const present = [...view.stage, ...(view.audience.members ?? [])];
        const now = new Set(present.map((participant) => participant.userId));
        for (const userId of listed) {
          const known = people.get(userId);
          const before = known?.peek();
          if (known !== undefined && before !== undefined && !now.has(userId))
            known.value = { ...before, present: false };
        }
        for (const participant of present) take(participant);
        listed = now;
        forget();
      }),
    takeSpeaking: (next) =>
      batch(() => {
        const before = speakers.peek();
        speakers.value = next;
        for (const userId of before) if (!next.has(userId)) speakingOf(userId).value = false;
        for (const userId of next) speakingOf(userId).value = true;
      }),
    learn: (participants) =>
      batch(() => {
        for (const participant of participants) if (!listed.has(participant.userId)) take(participant);
        forget();
      }),
  };
};
