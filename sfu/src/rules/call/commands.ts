import type { CallRoute } from '@rostrum/shared/protocol/call.ts';
import type { CallDeadlineKey } from './state.ts';

/** Whose command it is: a side counts only on the device that holds it. */
export type Caller = { readonly userId: string; readonly sessionId: string };

export type QualityReport = {
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
  readonly spoke: boolean;
};

export type CallCommand =
  /** Media flows. */
  | { readonly type: 'connected'; readonly by: Caller; readonly route: CallRoute }
  /** Media was lost, the connection to the server stands. */
  | { readonly type: 'lose-media'; readonly by: Caller }
  /** The connection to this node was lost. */
  | { readonly type: 'lose-connection'; readonly by: Caller; readonly node: string }
  /** The device is back, at this node, or another one of this person takes the call over (`sessionId` differs; ID-5). */
  | { readonly type: 'return'; readonly by: Caller; readonly node: string; readonly hideAddress?: boolean }
  | { readonly type: 'report-quality'; readonly by: Caller; readonly report: QualityReport }
  /** Wrote something. */
  | { readonly type: 'chat'; readonly by: Caller }
  | { readonly type: 'still-here'; readonly by: Caller }
  | { readonly type: 'extend'; readonly by: Caller }
  | { readonly type: 'use-sfu'; readonly by: Caller }
  /** The microphone is open at the SFU, at this node. */
  | { readonly type: 'open-microphone'; readonly by: Caller; readonly producerId: string; readonly node: string }
  /** The SFU has this microphone no more. */
  | { readonly type: 'close-microphone'; readonly userId: string; readonly producerId: string }
  /** The SFU lost all media of the call at this node. */
  | { readonly type: 'lose-sfu-media'; readonly node: string }
  /** Ends the call and waits for the next person at once. */
  | { readonly type: 'next'; readonly by: Caller }
  | { readonly type: 'end'; readonly by: Caller; readonly reason: 'hung-up' | 'left-for-room' }
  /** `userId` has blocked somebody: the partner, which ends the call, or anybody, whom they must not meet next. */
  | { readonly type: 'block'; readonly userId: string; readonly blockedId: string }
  | { readonly type: 'stop'; readonly reason: 'operator' | 'server-stopped' }
  | { readonly type: 'elapse'; readonly deadline: CallDeadlineKey };
