import { readFileSync } from 'node:fs';
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

/** What browsers wrote, with addresses for documentation in place of theirs; in the files the lines end as files' lines do. */
export const recordedSdp = (name: string): string =>
  readFileSync(new URL(`sdp/${name}.sdp`, import.meta.url), 'utf8').replaceAll('\n', '\r\n');

const inCall = { sessionId: someId };
const between = { from: otherId, to: someId };
const description = { ...inCall, ...between, sdp: recordedSdp('chromium-offer') };
const candidate = {
  ...inCall,
  ...between,
  candidate: 'candidate:3717037035 1 udp 2122194687 192.0.2.2 33637 typ host generation 0 ufrag 8DfD network-id 1',
  sdpMid: '0',
  sdpMLineIndex: 0,
  usernameFragment: '8DfD',
};

/** A search with everything in it. */
export const search = {
  mode: 'video',
  languages: ['en-GB', 'vi'],
  preferLanguages: true,
  interests: ['chess', 'jazz'],
  region: 'DE',
  about: { gender: 'other', ageRange: '25-34' },
  filters: { minReputation: 40, genders: ['female', 'other'], ageRanges: ['18-24', '55+'] },
  hideAddress: true,
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
  'random:watch': { watching: true },
  'random:sync': {},
  'random:start_queue': { ...search, leaveRoom: true },
  'random:cancel_queue': {},
  'random:offer': description,
  'random:answer': { ...description, sdp: recordedSdp('chromium-answer') },
  'random:ice_candidate': candidate,
  'random:connected': { ...inCall, route: 'turn_relay_tls' },
  'random:reconnecting': inCall,
  'random:use_sfu': inCall,
  'random:quality': { ...inCall, lossPercent: 0.5, jitterMs: 12.25, roundTripMs: 80, bitrate: 1_500_000, spoke: true },
  'random:chat': { ...inCall, text: 'Hello\nthere' },
  'random:still_here': inCall,
  'random:extend': inCall,
  'random:next_partner': inCall,
  'random:end_call': { ...inCall, rating: 5, comment: 'Kind' },
  'random:report_user': { ...inCall, type: 'harassment', text: 'Shouted at me' },
  'random:block_user': inCall,
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
  'random:start_queue': [
    'languages',
    'preferLanguages',
    'interests',
    'region',
    'about',
    'filters',
    'hideAddress',
    'leaveRoom',
  ],
  'random:end_call': ['rating', 'comment'],
  'random:report_user': ['text'],
};

/** Fields that may be null. */
export const nullableFields: { readonly [name in CommandName]?: readonly string[] } = {
  'random:start_queue': ['region'],
  'random:offer': ['to'],
  'random:answer': ['to'],
  'random:ice_candidate': ['to', 'sdpMid', 'sdpMLineIndex', 'usernameFragment'],
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

const queued = { position: 2, waiting: 7, mode: 'voice', since: 1, relaxed: ['reputation'], languageUntil: 5 };
const match = {
  ...inCall,
  mode: 'video',
  partner: { id: otherId, displayName: 'Ana', avatarUrl: null },
  languages: ['en'],
  initiateConnection: true,
  iceServers: [
    { urls: ['stun:stun.example'] },
    { urls: ['turn:turn.example'], username: '1750003600:x', credential: 'y' },
  ],
  relayOnly: false,
  sfuAllowed: false,
  connectBy: 9,
};
const chatMessage = { messageId: someId, byId: otherId, text: 'Hello', at: 3 };
const extension = { endsAt: 60, asked: true, partnerAsked: false };
const stats = { totalActive: 5, inQueue: 1, activeCalls: 2 };

/** What `random:sync` answers with, wherever a session stands. */
export const goodStates = [
  { state: 'idle' },
  { state: 'queued', queued },
  {
    state: 'call',
    match,
    phase: 'reconnecting',
    connectedAt: 2,
    resumeUntil: 12,
    partnerAway: true,
    answerUntil: null,
    ...extension,
    throughSfu: false,
    chat: [chatMessage],
  },
];

export const randomService = {
  available: false,
  reason: 'Maintenance',
  until: 7,
  minimumAge: 18,
  filters: ['age'],
  relay: 'optional',
  stats,
};

/** Some events as the server sends them; of random calls each one. */
export const goodEvents: { readonly [name in EventName]?: Record<string, unknown> } = {
  'room:participant-joined': { ...viewEvent, view: 'room', participant },
  'room:participant-left': { ...viewEvent, view: 'stage', userId: otherId, role: 'listener', reason: 'lost' },
  'room:hand-lowered': { ...viewEvent, view: 'self', userId: otherId },
  'room:ended': { roomId: someId, reason: 'empty' },
  'session:closing': { code: 'rate_limited' },
  'random:queued': queued,
  'random:dequeued': { reason: 'timeout' },
  'random:match_instant': match,
  'random:offer': description,
  'random:answer': description,
  'random:ice_candidate': candidate,
  'random:connected': { ...inCall, connectedAt: 4, ...extension },
  'random:chat': { ...inCall, message: chatMessage },
  'random:stats_update': stats,
  'random:partner_disconnected': { ...inCall, resumeUntil: 8 },
  'random:partner_returned': inCall,
  'random:connection_timeout': { ...inCall, requeued: true, failuresInARow: 3, relayFromNow: true },
  'random:idle_check': { ...inCall, answerUntil: null },
  'random:time_warning': { ...inCall, ...extension },
  'random:sfu': inCall,
  'random:call_ended': { ...inCall, reason: 'hung-up', byYou: false, requeued: true },
  'random:joined_elsewhere': inCall,
  'random:feature_unavailable': { reason: null, until: null },
};
