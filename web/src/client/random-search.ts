import { errorTable } from '@rostrum/shared/errors.ts';
import type { Search } from '@rostrum/shared/protocol/random.ts';
import type { RandomPhase } from './call-types.ts';
import { causedBy, RostrumError } from './errors.ts';
import { phaseOfClose } from './room-phase.ts';
import type { CloseReason } from './types.ts';

/** A whole search: what is left out is not asked for. */
export const searchOf = (search: Partial<Search> & Pick<Search, 'mode'>): Search => ({
  languages: [],
  preferLanguages: false,
  interests: [],
  region: null,
  about: { gender: null, ageRange: null },
  filters: { minReputation: null, genders: null, ageRanges: null },
  hideAddress: false,
  ...search,
});

/** A search that could not begin. */
export const refusalOf = (error: unknown): Extract<RandomPhase, { phase: 'refused' }> => ({
  phase: 'refused',
  error: error instanceof RostrumError ? error : causedBy(error, 'internal', errorTable.internal.message),
});

/** Where one stands once the connection is closed for good. */
export const phaseAfterClose = (reason: CloseReason): RandomPhase => {
  const closed = phaseOfClose(reason);
  if (closed.phase === 'refused') return { phase: 'refused', error: closed.error };
  // Another page took this session over, and the place in the queue or in the call with it.
  return closed.phase === 'elsewhere' ? { phase: 'out', reason: 'joined-elsewhere' } : { phase: 'idle' };
};
