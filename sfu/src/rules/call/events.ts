import type { CallRoute } from '@rostrum/shared/protocol/call.ts';
import type { QualityReport } from './commands.ts';
import type { CallEnd } from './state.ts';

/** What happened in a call. Times are in the events, so that folding them again gives the same state. */
export type CallEvent =
  /** A side has media. */
  | { readonly type: 'linked'; readonly userId: string; readonly route: CallRoute }
  /** Both have: for the first time, or again. */
  | { readonly type: 'connected'; readonly at: number; readonly endsAt: number | null }
  /** A side is lost: its connection (`away`) or its media. */
  | { readonly type: 'lost'; readonly userId: string; readonly what: 'connection' | 'media'; readonly at: number }
  /** The window in which the call can be resumed opens (RD-5); it closes with `connected`, or the end. */
  | { readonly type: 'window-opened'; readonly until: number }
  | { readonly type: 'returned'; readonly userId: string }
  /** The device is connected to another node now; whether its connection was lost before or not, it is there. */
  | { readonly type: 'relocated'; readonly userId: string; readonly from: string; readonly to: string }
  /** Another device of the person holds their side now (ID-5). */
  | {
      readonly type: 'moved';
      readonly userId: string;
      readonly from: string;
      readonly to: string;
      readonly node: string;
      /** The device asks to hide its address (RD-12). */
      readonly hideAddress: boolean;
    }
  | { readonly type: 'measured'; readonly userId: string; readonly report: QualityReport }
  | { readonly type: 'active'; readonly at: number }
  | { readonly type: 'idle-asked'; readonly until: number }
  | { readonly type: 'extension-asked'; readonly userId: string }
  | { readonly type: 'extended'; readonly endsAt: number }
  | { readonly type: 'warned'; readonly endsAt: number }
  | { readonly type: 'sfu-chosen'; readonly connectBy: number }
  /** In place of one that the side had at another node, where there was one. */
  | {
      readonly type: 'microphone-opened';
      readonly userId: string;
      readonly producerId: string;
      readonly node: string;
    }
  | { readonly type: 'microphone-closed'; readonly userId: string }
  | { readonly type: 'avoided'; readonly userId: string; readonly avoidedId: string }
  | { readonly type: 'ended'; readonly end: CallEnd };

export type CallEventOf<Type extends CallEvent['type']> = Extract<CallEvent, { type: Type }>;
