import type { CallChatMessage } from '@rostrum/shared/protocol/call.ts';
import type { EventPayload } from '@rostrum/shared/protocol/index.ts';
import type { Match, RandomState } from '@rostrum/shared/protocol/random.ts';
import type { CallSnapshot, ChatLine, ExtensionState } from './call-types.ts';

/** What the server says of a call: the part of its snapshot that is not this page's own media. */
export type CallFacts = Pick<
  CallSnapshot,
  | 'sessionId'
  | 'mode'
  | 'partner'
  | 'languages'
  | 'phase'
  | 'connectedAt'
  | 'resumeUntil'
  | 'partnerAway'
  | 'answerUntil'
  | 'extension'
  | 'chat'
  | 'throughSfu'
>;

export type CallState = Extract<RandomState, { state: 'call' }>;

/** The events that change what is known of a call, each with what it says. */
export type CallNews = {
  [Name in
    | 'random:connected'
    | 'random:partner_disconnected'
    | 'random:partner_returned'
    | 'random:idle_check'
    | 'random:time_warning'
    | 'random:sfu']: { readonly name: Name; readonly payload: EventPayload<Name> };
}[
  | 'random:connected'
  | 'random:partner_disconnected'
  | 'random:partner_returned'
  | 'random:idle_check'
  | 'random:time_warning'
  | 'random:sfu'];

/** Lines of a call that are shown (RE-5): the longest call has room for more, but nobody scrolls back that far. */
const linesMax = 1000;

const unlimited: ExtensionState = { endsAt: null, asked: false, partnerAsked: false };

const extensionOf = ({ endsAt, asked, partnerAsked }: ExtensionState): ExtensionState => ({
  endsAt,
  asked,
  partnerAsked,
});

/** A call that has just begun. One in text has nothing to connect. */
export const factsOfMatch = ({ sessionId, mode, partner, languages }: Match): CallFacts => ({
  sessionId,
  mode,
  partner,
  languages,
  phase: mode === 'text' ? 'connected' : 'connecting',
  connectedAt: null,
  resumeUntil: null,
  partnerAway: false,
  answerUntil: null,
  extension: unlimited,
  chat: [],
  throughSfu: false,
});

/** A call as it stands, with what was known of its chat before. */
export const factsOfState = (state: CallState, userId: string | undefined, before?: CallFacts): CallFacts => ({
  ...factsOfMatch(state.match),
  phase: state.phase,
  connectedAt: state.connectedAt,
  resumeUntil: state.resumeUntil,
  partnerAway: state.partnerAway,
  answerUntil: state.answerUntil,
  extension: extensionOf(state),
  throughSfu: state.throughSfu,
  chat: state.chat.reduce((lines, message) => withLine(lines, lineOf(message, userId)), before?.chat ?? []),
});

export const lineOf = ({ messageId, byId, text, at }: CallChatMessage, userId: string | undefined): ChatLine => ({
  messageId,
  mine: byId === userId,
  text,
  at,
});

/** The lines with one more, in the order of their times. One that is there already stays as it is. */
export const withLine = (lines: readonly ChatLine[], line: ChatLine): readonly ChatLine[] => {
  if (lines.some(({ messageId }) => messageId === line.messageId)) return lines;
  const index = lines.findLastIndex(({ at }) => at <= line.at) + 1;
  return lines.toSpliced(index, 0, line).slice(-linesMax);
};

/** What is known of a call after this news. `lostHere`: it is this side's media that was lost, not the partner. */
export const withNews = (facts: CallFacts, news: CallNews, lostHere: boolean): CallFacts => {
  switch (news.name) {
    case 'random:connected': {
      const { connectedAt } = news.payload;
      const extension = extensionOf(news.payload);
      return { ...facts, phase: 'connected', connectedAt, extension, resumeUntil: null, partnerAway: false };
    }
    case 'random:partner_disconnected':
      return { ...interrupted(facts), resumeUntil: news.payload.resumeUntil, partnerAway: !lostHere };
    case 'random:partner_returned':
      return { ...facts, partnerAway: false };
    case 'random:idle_check':
      return { ...facts, answerUntil: news.payload.answerUntil };
    case 'random:time_warning':
      return { ...facts, extension: extensionOf(news.payload) };
    case 'random:sfu':
      return { ...interrupted(facts), throughSfu: true };
    default:
      return news satisfies never;
  }
};

/** Something is lost: a call that never was connected goes on connecting. */
const interrupted = (facts: CallFacts): CallFacts =>
  facts.phase === 'connected' ? { ...facts, phase: 'reconnecting' } : facts;
