/**
 * Voices that are reserved for every listener, even while fewer microphones are open (MD-3): admission counts what a
 * listener will cost, not what it costs now. Four, as with the stage gate (MD-6): more people seldom talk at once, and a
 * silent microphone costs next to nothing (DTX).
 */
export const voicesReserved = 4;

/** Streams that a room reserves on its worker: every listener hears every open microphone. Pure. */
export const streamsOf = (room: { readonly listeners: number; readonly microphones: number }): number =>
  room.listeners * Math.max(room.microphones, voicesReserved);
