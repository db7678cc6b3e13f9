import type { CommandName, EventName } from '../src/protocol/index.ts';

export const someId = 'AAAAAAAAAAAAAAAAAAAAAA';
export const otherId = 'bbbbbbbbbbbbbbbbbbbb-_';

const inRoom = { roomId: someId };
const about = { roomId: someId, userId: otherId };
const dtlsParameters = {
  role: 'client',
  fingerprints: [{ algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'A0').join(':') }],
};

/** What Chrome sends for a microphone. */
export const rtpParameters = {
  mid: '0',
  codecs: [
    {
      mimeType: 'audio/opus',
      payloadType: 111,
      clockRate: 48000,
      channels: 2,
      parameters: { minptime: 10, useinbandfec: 1, usedtx: 1 },
      rtcpFeedback: [{ type: 'transport-cc', parameter: '' }],
    },
  ],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4, encrypt: false, parameters: {} }],
  encodings: [{ ssrc: 1234567, dtx: true }],
  rtcp: { cname: 'a name', reducedSize: true },
  msid: 'stream track',
};

/** One good input for every command, with every optional field in it. */
export const goodInput: { readonly [name in CommandName]: Record<string, unknown> } = {
  'session:renew': { token: 'a.b.c' },
  'room:join': inRoom,
  'room:leave': inRoom,
  'room:sync': inRoom,
  'room:hand-raise': inRoom,
  'room:hand-lower': inRoom,
  'room:hand-accept': about,
  'room:hand-decline': about,
  'room:hand-to-front': about,
  'room:hand-allow': { ...about, allowed: false },
  'room:invite-to-speak': about,
  'room:speak-answer': { ...inRoom, accept: true },
  'room:mute-toggle': { ...inRoom, muted: true },
  'room:promote': { ...about, role: 'moderator' },
  'room:demote': { ...about, role: 'speaker' },
  'room:mute': { ...about, locked: true, reason: 'echo' },
  'room:mute-all': { ...inRoom, locked: true, reason: 'echo' },
  'room:kick': { ...about, reason: 'rude' },
  'room:ban': { ...about, reason: 'rude' },
  'room:unban': about,
  'room:update': {
    ...inRoom,
    changes: {
      title: 'A title',
      description: 'Two\nlines',
      category: 'music',
      language: 'pt-BR',
      tags: ['one', 'two'],
      maxParticipants: 100,
      maxSpeakers: 5,
      permissions: { anyoneCanSpeak: true },
      privacy: { hideParticipants: true },
    },
  },
  'room:handover': about,
  'room:end': inRoom,
  'media:listen': inRoom,
  'media:publish': inRoom,
  'media:connect': { ...inRoom, transportId: 'some-transport', dtlsParameters },
  'media:produce': { ...inRoom, transportId: 'some-transport', rtpParameters },
  'media:unpublish': inRoom,
  'media:restart-ice': { ...inRoom, transportId: 'some-transport' },
  'media:sync': { ...inRoom, transportIds: ['one'], consumerIds: ['two', 'three'] },
};

/** Fields of a command that may be left out. */
export const optionalFields: { readonly [name in CommandName]?: readonly string[] } = {
  'room:hand-accept': ['userId'],
  'room:hand-decline': ['userId'],
  'room:promote': ['role'],
  'room:demote': ['role'],
  'room:mute': ['locked', 'reason'],
  'room:mute-all': ['locked', 'reason'],
  'room:kick': ['reason'],
  'room:ban': ['reason'],
};

const viewEvent = { roomId: someId, sequence: 1 };
const participant = {
  userId: otherId,
  displayName: 'Ana',
  role: 'listener',
  joinedAt: 1,
  microphone: 'off',
  away: false,
};

/** A few events as the server sends them. */
export const goodEvents: { readonly [name in EventName]?: Record<string, unknown> } = {
  'room:participant-joined': { ...viewEvent, view: 'room', participant },
  'room:participant-left': { ...viewEvent, view: 'stage', userId: otherId, role: 'listener', reason: 'lost' },
  'room:hand-lowered': { ...viewEvent, view: 'self', userId: otherId },
  'room:ended': { roomId: someId, reason: 'empty' },
  'session:closing': { code: 'rate_limited' },
};
