import { defaultLimits } from '@rostrum/shared/limits.ts';
import type { RandomState } from '@rostrum/shared/protocol/random.ts';
import type { OutgoingCallEvent } from '../../src/rules/call/project.ts';
import type { CallState } from '../../src/rules/call/state.ts';
import { randomStateOf } from '../../src/rules/call/view.ts';

/** What a page knows of its call without asking again. */
export type Known = Pick<
  RandomState & { state: 'call' },
  'phase' | 'connectedAt' | 'resumeUntil' | 'answerUntil' | 'endsAt' | 'asked' | 'partnerAsked' | 'throughSfu'
>;

/** What `random:sync` answers this person. */
export const synchronised = (call: CallState, userId: string): RandomState =>
  randomStateOf(call, userId, {
    iceServers: [],
    relayAlways: false,
    relayAvailable: true,
    sfuAllowed: true,
    limits: defaultLimits,
    chat: [],
  });

export const knownOf = (state: RandomState): Known | null => {
  if (state.state !== 'call') return null;
  const { phase, connectedAt, resumeUntil, answerUntil, endsAt, asked, partnerAsked, throughSfu } = state;
  return { phase, connectedAt, resumeUntil, answerUntil, endsAt, asked, partnerAsked, throughSfu };
};

/** What a page makes of what it is told. Null: the call is over for it. */
export const foldCall = (known: Known | null, event: OutgoingCallEvent): Known | null => {
  if (!known) return null;
  switch (event.name) {
    case 'random:connected': {
      const { sessionId: _, ...told } = event.payload;
      return { ...known, ...told, phase: 'connected', resumeUntil: null, answerUntil: null };
    }
    case 'random:partner_disconnected':
      return {
        ...known,
        phase: known.phase === 'connecting' ? 'connecting' : 'reconnecting',
        resumeUntil: event.payload.resumeUntil,
      };
    case 'random:partner_returned':
      // Before media ever flowed, connections are all that the window was about.
      return { ...known, resumeUntil: known.phase === 'connecting' ? null : known.resumeUntil };
    case 'random:idle_check':
      return { ...known, answerUntil: event.payload.answerUntil };
    case 'random:time_warning': {
      const { sessionId: _, ...told } = event.payload;
      return { ...known, ...told };
    }
    case 'random:sfu':
      return { ...known, throughSfu: true };
    case 'random:connection_timeout':
    case 'random:call_ended':
    case 'random:joined_elsewhere':
      return null;
    default:
      return event satisfies never;
  }
};
