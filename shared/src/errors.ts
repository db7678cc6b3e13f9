/**
 * The closed list of error codes: what the server answers with, over the socket and over HTTP.
 * `status` is the HTTP status (RFC 9110 section 15), `message` the words for a person: what happened, then what to do.
 */
export const errorTable = {
  invalid: { status: 400, message: 'Something in this request is not valid.' },
  unauthorized: { status: 401, message: 'You are not signed in. Sign in and try again.' },
  forbidden: { status: 403, message: 'Your role does not allow this.' },
  kicked: { status: 403, message: 'You were removed from this room and cannot come back while it lasts.' },
  banned: { status: 403, message: 'The host of this room has banned you.' },
  approval_required: { status: 403, message: 'The host lets people into this room one by one.' },
  muted_locked: { status: 403, message: 'A moderator muted you. Only they can unmute you.' },
  not_found: { status: 404, message: 'There is nothing here, or it is not for you.' },
  not_in_room: { status: 409, message: 'You are not in this room. Join it first.' },
  not_on_stage: { status: 409, message: 'This person is not on the stage.' },
  already: { status: 409, message: 'This is already done.' },
  conflict: { status: 409, message: 'This does not fit the present state. Look again and retry.' },
  room_full: { status: 409, message: 'This room is full. Try again when somebody has left.' },
  stage_full: { status: 409, message: 'The stage is full. Somebody has to step down first.' },
  hands_full: { status: 409, message: 'Too many hands are raised. Try again later.' },
  hands_closed: { status: 403, message: 'You cannot raise your hand in this room.' },
  on_stage: { status: 409, message: 'You are on the stage of a room. Step down or leave it first.' },
  in_room: { status: 409, message: 'You are listening to a room. Leave it first.' },
  in_call: { status: 409, message: 'You are in a call. End it first.' },
  stale: { status: 409, message: 'This call is over.' },
  no_relay: { status: 409, message: 'Your address cannot be hidden here: this server has no relay.' },
  blocks_full: { status: 409, message: 'You have blocked as many people as can be kept. Unblock somebody first.' },
  rules_not_accepted: { status: 403, message: 'Read and accept the house rules first.' },
  age_not_confirmed: { status: 403, message: 'Confirm first that you are old enough for random calls.' },
  room_ended: { status: 410, message: 'This room has ended.' },
  too_large: { status: 413, message: 'This message is too large.' },
  unsupported_protocol: { status: 426, message: 'This page is out of date. Reload it.' },
  rate_limited: { status: 429, message: 'That was too often. Wait a moment and try again.' },
  internal: { status: 500, message: 'The server failed at this. Try again; if it stays, tell the operator.' },
  unavailable: { status: 503, message: 'The server cannot answer right now. Try again in a moment.' },
  feature_unavailable: { status: 503, message: 'This is switched off for now. Try again later.' },
  node_full: { status: 503, message: 'The server is full right now. Try again in a few minutes.' },
} as const;

export type ErrorCode = keyof typeof errorTable;
export const errorCodes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

/** An error on the wire. `retryAfterMs` is in milliseconds; `path` is the field that is at fault, such as `privacy.allowInvites`. */
export type WireError = {
  code: ErrorCode;
  message: string;
  retryAfterMs?: number | undefined;
  path?: string | undefined;
};

/** A refusal: a use case's way to say no. It is a value, never thrown. */
export type Refusal = { readonly code: ErrorCode; readonly retryAfterMs?: number; readonly path?: string };

export const wireError = (refusal: Refusal): WireError => ({
  code: refusal.code,
  message: errorTable[refusal.code].message,
  ...(refusal.retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(refusal.retryAfterMs) }),
  ...(refusal.path === undefined ? {} : { path: refusal.path }),
});
