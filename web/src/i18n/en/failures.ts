import type { Formats } from '../formats.ts';

const seconds = (f: Formats, ms: number) => {
  const count = Math.max(1, Math.ceil(ms / 1000));
  if (count >= 120) return f.duration(count * 1000);
  return f.plural(count, { one: `${f.number(count)} second`, other: `${f.number(count)} seconds` });
};

/** What happened, then what to do. */
export const failures = (f: Formats) => ({
  codes: {
    invalid: 'Something here is not valid. Check what you wrote and try again.',
    unauthorized: 'You are not signed in any more. Sign in and try again.',
    forbidden: 'Your role does not allow this. Ask the host or a moderator.',
    kicked: 'You were removed from this room and cannot come back while it lasts.',
    banned: 'The host of this room has banned you. Look for another room.',
    approval_required: 'The host lets people into this room one by one. Wait until somebody lets you in.',
    muted_locked: 'A moderator muted you. Only they can unmute you: ask them.',
    not_found: 'This is not here any more, or it is not for you.',
    not_in_room: 'You are not in this room. Join it again.',
    not_on_stage: 'This person is not on the stage any more.',
    already: 'This is done already.',
    conflict: 'Something changed in the meantime. Look again and retry.',
    room_full: 'This room is full. Try again when somebody has left.',
    stage_full: 'The stage is full. Somebody has to step down first.',
    hands_full: 'Too many hands are raised. Try again later.',
    hands_closed: 'Hands are closed in this room. Wait for an invitation to speak.',
    on_stage: 'You are on the stage of a room. Leave that stage first, then try again.',
    in_room: 'You are listening to a room. Leave it first, then try again.',
    in_call: 'You are in a call. End it first, then try again.',
    stale: 'This call is over already. Look for the next person.',
    no_relay: 'This server cannot hide your address. Turn off “Hide my address”, then try again.',
    blocks_full: 'You have blocked as many people as can be kept. Unblock somebody first.',
    rules_not_accepted: 'Accept the house rules first, then try again.',
    age_not_confirmed: 'Confirm first that you are old enough, then try again.',
    room_ended: 'This room has ended. Look for another one.',
    too_large: 'This is too large. Make it shorter and try again.',
    unsupported_protocol: 'This page is out of date. Reload it.',
    rate_limited: 'That was too often. Wait a moment and try again.',
    internal: 'The server failed at this. Try again; if it stays, tell the operator.',
    unavailable: 'The server cannot answer right now. Try again in a moment.',
    feature_unavailable: 'This is switched off for now. Try again later.',
    node_full: 'The server is full right now. Try again in a few minutes.',
    network: 'The server cannot be reached. Check your connection and try again.',
    timeout: 'The server took too long to answer. Try again.',
  },
  unknown: 'Something went wrong in this page. Reload it and try again.',
  rateLimitedFor: (ms: number) => `That was too often. Try again in ${seconds(f, ms)}.`,
  roomNotFound: 'This room does not exist, or it is not for you.',
  microphone: {
    denied: 'Your browser blocks the microphone on this page. Allow it beside the address, then try again.',
    missing: 'No microphone was found. Plug one in and try again.',
    busy: 'Your microphone is in use by another app. Close it and try again.',
    lost: 'Your microphone was disconnected. Plug it in again or choose another one.',
    unsupported: 'This browser cannot use a microphone here. Open the page over HTTPS in a recent browser.',
    refused: 'The server did not take your microphone. Try again in a moment.',
  },
});
