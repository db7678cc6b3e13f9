import { done, refuse } from '@rostrum/shared/result.ts';
import type { CallCommand } from './commands.ts';
import type { CallContext, CallDecision } from './decide/decision.ts';
import { block, end, next, stop } from './decide/end.ts';
import { chooseSfu, connected, loseConnection, loseMedia, returned, settle } from './decide/link.ts';
import { closeMicrophone, loseSfuMedia, openMicrophone } from './decide/sfu.ts';
import { chat, elapse, extend, reportQuality, stillHere } from './decide/time.ts';
import { evolve } from './evolve.ts';
import type { CallState } from './state.ts';

export type { CallContext } from './decide/decision.ts';

/**
 * The rules of a call: what a command comes to in this state. Pure; the same state, command and context always give the same
 * decision. A refusal changes nothing. `stale`: the call is over, or who speaks is no side of it, or not on the device that
 * holds their side (RD-14).
 */
export const decide = (call: CallState, command: CallCommand, context: CallContext): CallDecision => {
  if (call.phase === 'ended') return refuse('stale');
  const decision = rule(call, command, context);
  if (!decision.ok || decision.value.length === 0) return decision;
  return done([...decision.value, ...settle(decision.value.reduce(evolve, call), context)]);
};

const rule = (call: CallState, command: CallCommand, context: CallContext): CallDecision => {
  switch (command.type) {
    case 'connected':
      return connected(call, command);
    case 'lose-media':
      return loseMedia(call, command, context);
    case 'lose-connection':
      return loseConnection(call, command, context);
    case 'return':
      return returned(call, command, context);
    case 'use-sfu':
      return chooseSfu(call, command, context);
    case 'open-microphone':
      return openMicrophone(call, command);
    case 'close-microphone':
      return closeMicrophone(call, command);
    case 'lose-sfu-media':
      return loseSfuMedia(call, command, context);
    case 'report-quality':
      return reportQuality(call, command, context);
    case 'chat':
      return chat(call, command, context);
    case 'still-here':
      return stillHere(call, command, context);
    case 'extend':
      return extend(call, command, context);
    case 'next':
      return next(call, command, context);
    case 'end':
      return end(call, command, context);
    case 'block':
      return block(call, command, context);
    case 'stop':
      return stop(command, context);
    case 'elapse':
      return elapse(call, command, context);
    default:
      return command satisfies never;
  }
};
