/**
 * Every limit of the product, once: its value, its unit and the reason for it (spec: "Numbers here are defaults").
 *
 * `limitTable` holds what an operator can set; the environment variable of a limit is `LIMIT_` and its name in upper
 * snake case (`roomsPerDay` → `LIMIT_ROOMS_PER_DAY`). `sizes` holds the sizes of what goes over the wire: server and
 * client are compiled with them, so they change with the protocol version and not with the configuration.
 */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export type LimitUnit =
  | 'ms'
  | 'people'
  | 'rooms'
  | 'entries'
  | 'times'
  | 'bytes'
  | 'points'
  | 'dBov'
  | 'days'
  | 'years'
  | 'percent'
  | 'packets/s';

export type LimitDefinition = {
  readonly value: number;
  readonly unit: LimitUnit;
  /** Smallest and largest value that an operator may set. */
  readonly min: number;
  readonly max: number;
  /** Why the limit exists and what the number comes from; starts with the rule's id where there is one. */
  readonly reason: string;
};

/** Sizes of the wire format, in UTF-16 code units unless said otherwise. */
export const sizes = {
  /** ID-1 */
  displayName: 40,
  /** RM-1 */
  title: 100,
  /** RM-1 */
  description: 1000,
  /** RM-1 */
  tags: 5,
  /** RM-1 */
  tag: 24,
  /** RM-1: BCP 47 tags in use are far shorter; RFC 5646 section 4.4.1 asks to support 35. */
  language: 35,
  /** RM-1: largest maxParticipants of a room that can be said. */
  maxParticipants: 10_000,
  /** RM-1: largest maxSpeakers of a room that can be said. */
  maxSpeakers: 30,
  /** RM-1: maxParticipants of a room unless its host says otherwise. */
  defaultMaxParticipants: 500,
  /** RM-1: maxSpeakers of a room unless its host says otherwise. */
  defaultMaxSpeakers: 10,
  /** MO-2: the reason that a moderator gives. */
  reason: 300,
  /** RM-10: entries of a page of the audience. */
  page: 20,
  /**
   * RM-10: people of an audience who are listed in the answer of a join that listens. As many take 4 kB, as does all that is needed to
   * hear the room; more of them follow when it is heard.
   */
  audienceAtOnce: 20,
  /** Entries of the largest page that a list answers with. */
  pageMax: 100,
  /** RM-10: what is searched for in the audience. */
  query: 100,
  /** Faces on a room's card (ui: Home). */
  facesOnCard: 5,
  /** SE-5: a session description; those of browsers with audio, video and data have under 10 kB. */
  sdp: 32 * 1024,
  /** SE-5: one candidate. */
  candidate: 2 * 1024,
  /** RD-10 */
  callMessage: 1000,
  /** RD-9 */
  comment: 500,
  /** SF-1: what a report says in words. */
  reportText: 1000,
  /** RQ-2: languages that a person speaks. */
  languages: 5,
  /** ID-7 */
  interests: 10,
  /** ID-7: one interest; as long as a room's tag. */
  interest: 24,
  /** RQ-8: what an operator says of a feature that is off. */
  featureReason: 300,
  /** Chat messages that a page which came back is given again: what one still knows of a talk. */
  chatReplayed: 50,
  /** SE-7: bytes of one message on the socket. */
  message: 64 * 1024,
  /** SE-1: bytes of the body of an HTTP request; the largest is a room with all its fields, under 8 kB. */
  httpBody: 16 * 1024,
  /** A JWT of ours has about 300 characters; an operator's provider may put 30 claims in its own. */
  token: 4096,
} as const;

export const limitTable = {
  tokenLifetimeMs: { value: day, unit: 'ms', min: minute, max: 30 * day, reason: 'ID-2: guest tokens last 24 h' },
  tokenWarningMs: {
    value: minute,
    unit: 'ms',
    min: 100,
    max: hour,
    reason: 'ID-4: warned 60 s before a token expires',
  },
  guestIdleMs: {
    value: day,
    unit: 'ms',
    min: hour,
    max: 365 * day,
    reason: 'ID-6: guests vanish 24 h after they were last seen',
  },
  guestsPerAddressHour: {
    value: 60,
    unit: 'times',
    min: 1,
    max: 1_000_000,
    reason: 'SE-2: sign-ins an hour from one address; an office behind one address still gets in',
  },
  roomsPerDay: { value: 5, unit: 'rooms', min: 0, max: 10_000, reason: 'RM-2: rooms that one person creates in 24 h' },
  joinsPerMinute: { value: 10, unit: 'times', min: 1, max: 10_000, reason: 'RM-2: joins a minute by one person' },
  roomsPerNode: { value: 100, unit: 'rooms', min: 1, max: 100_000, reason: 'RM-2: active rooms that one node hosts' },
  roomEmptyMs: {
    value: minute,
    unit: 'ms',
    min: 100,
    max: day,
    reason: 'RM-3: a room ends 60 s after the last person left',
  },
  roomLifetimeMs: { value: 12 * hour, unit: 'ms', min: second, max: 30 * day, reason: 'RM-3: a room ends after 12 h' },
  roomEndWarningMs: {
    value: 5 * minute,
    unit: 'ms',
    min: 0,
    max: day,
    reason: 'RM-3: warned 5 minutes before the end',
  },
  hostAbsenceMs: {
    value: minute,
    unit: 'ms',
    min: 100,
    max: day,
    reason: 'RM-7: the room passes on when its host is lost for 60 s',
  },
  formerHostReturnMs: {
    value: hour,
    unit: 'ms',
    min: 0,
    max: day,
    reason: 'RM-7: the former host gets the room back on return within the hour',
  },
  seatGraceMs: {
    value: 15 * second,
    unit: 'ms',
    min: 100,
    max: hour,
    reason: 'RE-2: a broken connection keeps its seat for 15 s',
  },
  invitationMs: {
    value: 30 * second,
    unit: 'ms',
    min: second,
    max: hour,
    reason: 'HD-2: 30 s to answer an invitation to speak',
  },
  roomMaxParticipants: {
    value: 10_000,
    unit: 'people',
    min: 2,
    max: sizes.maxParticipants,
    reason: 'RM-1: largest maxParticipants of a room',
  },
  roomMaxSpeakers: {
    value: 30,
    unit: 'people',
    min: 1,
    max: sizes.maxSpeakers,
    reason: 'RM-1: largest maxSpeakers of a room',
  },
  moderatorsPerRoom: {
    value: 30,
    unit: 'people',
    min: 1,
    max: 100,
    reason: 'RE-5: moderators are kept in the control record of the room, which every command reads',
  },
  handsPerRoom: {
    value: 200,
    unit: 'people',
    min: 1,
    max: 1000,
    reason: 'RE-5: the queue is in the control record of the room; nobody waits behind 200 hands in a room of 12 h',
  },
  invitationsPerRoom: {
    value: 30,
    unit: 'people',
    min: 1,
    max: 200,
    reason: 'RE-5: as many open invitations as a stage has places',
  },
  standingsPerRoom: {
    value: 10_000,
    unit: 'entries',
    min: 100,
    max: 1_000_000,
    reason: 'RE-5: kicks and withdrawn rights kept for one room; as many as the largest room has people',
  },
  guestExclusionMs: {
    value: day,
    unit: 'ms',
    min: minute,
    max: 30 * day,
    reason: 'MO-2: a kicked or banned guest is known by address and device for 24 h',
  },
  audienceListedMax: {
    value: 100,
    unit: 'people',
    min: 0,
    max: 500,
    reason: 'RM-10: above 100 listeners arrivals and departures are not sent one by one',
  },
  audienceListedAgain: {
    value: 80,
    unit: 'people',
    min: 0,
    max: 500,
    reason: 'RM-10: below 80 listeners they are sent again; the gap keeps a room at the edge from switching to and fro',
  },
  audienceCountMs: {
    value: second,
    unit: 'ms',
    min: 100,
    max: minute,
    reason: 'RM-10: the audience count is sent at most once a second',
  },
  speakingIntervalMs: {
    value: 250,
    unit: 'ms',
    min: 250,
    max: 5000,
    reason:
      "MD-4: at most 5 changes a second a room; mediasoup's AudioLevelObserver reports every 250 ms at the fastest",
  },
  speakingOnDbov: {
    value: -50,
    unit: 'dBov',
    min: -127,
    max: 0,
    reason: 'MD-4: level from which a person counts as speaking (RFC 6464)',
  },
  speakingOffDbov: {
    value: -60,
    unit: 'dBov',
    min: -127,
    max: 0,
    reason: 'MD-4: level below which they stop; 10 dB under the start is the hysteresis',
  },
  speakingHoldMs: {
    value: 750,
    unit: 'ms',
    min: 0,
    max: 5000,
    reason: 'MD-4: a pause between words is not the end of speaking',
  },
  packetsPerWorker: {
    value: 80_000,
    unit: 'packets/s',
    min: 100,
    max: 10_000_000,
    reason:
      'MD-3: what one worker is taken to forward until its own cost of a packet was measured; 0.85 of a core at 10.5 µs',
  },
  workerCpuPercent: {
    value: 85,
    unit: 'percent',
    min: 10,
    max: 100,
    reason: 'MD-3: of a core; past it delivery and joins collapse together, so nobody more is taken',
  },
  gateVoices: {
    value: 4,
    unit: 'people',
    min: 1,
    max: 30,
    reason: 'MD-6: of more open microphones than this only the loudest so many are sent to the audience',
  },
  gateOnDbov: {
    value: -55,
    unit: 'dBov',
    min: -127,
    max: 0,
    reason: 'MD-6: level that opens the gate; below that of speaking (MD-4), so that the first syllable passes',
  },
  gateHoldMs: {
    value: 1500,
    unit: 'ms',
    min: 0,
    max: 10_000,
    reason: 'MD-6: whoever was heard talking keeps the place from noises for so long, through pauses of a sentence',
  },
  directListeners: {
    value: 50,
    unit: 'people',
    min: 0,
    max: 10_000,
    reason:
      'MD-2: so many of the audience are served by the router of the stage; few enough to be moved within a second',
  },
  audienceIdleMs: {
    value: 10 * second,
    unit: 'ms',
    min: 0,
    max: hour,
    reason: 'MD-2: a router for the audience that nobody listens at is closed; one that is used on and off is not',
  },
  largeRoomPeople: {
    value: 300,
    unit: 'people',
    min: 1,
    max: 100_000,
    reason:
      'MD-2: microphones opened in a larger room send 60 ms in a packet: a third of the packets for 40 ms more delay',
  },
  workerAnswerMs: {
    value: 5 * second,
    unit: 'ms',
    min: 100,
    max: minute,
    reason: 'RE-5: a worker that does not answer for 5 s is replaced',
  },
  transportsPerSeat: {
    value: 4,
    unit: 'entries',
    min: 2,
    max: 10,
    reason: 'SE-6: one to send, one to receive, and their successors while they are replaced',
  },
  mediaIdleMs: {
    value: 30 * second,
    unit: 'ms',
    min: second,
    max: hour,
    reason: 'RE-5: a transport that was opened and never connected is closed',
  },
  commandsPerSecond: {
    value: 20,
    unit: 'points',
    min: 1,
    max: 100_000,
    reason: 'SE-2: points a second for one person; most commands cost 1 to 5, a join with its media about 10',
  },
  commandBurst: {
    value: 60,
    unit: 'points',
    min: 1,
    max: 100_000,
    reason: 'SE-2: points saved up for a burst, such as a page that loads',
  },
  addressCommandsPerSecond: {
    value: 2000,
    unit: 'points',
    min: 1,
    max: 10_000_000,
    reason: 'SE-2: points a second for one address, which may be a whole school of listeners',
  },
  floodStrikes: {
    value: 100,
    unit: 'times',
    min: 1,
    max: 100_000,
    reason: 'SE-2: refused or invalid messages within ten seconds after which the socket is closed',
  },
  httpRequestsPerMinute: {
    value: 600,
    unit: 'times',
    min: 1,
    max: 10_000_000,
    reason: 'SE-2: HTTP requests a minute from one address',
  },
  socketsPerUser: {
    value: 10,
    unit: 'entries',
    min: 1,
    max: 1000,
    reason: 'ID-5: devices and tabs of one person at a time',
  },
  socketsPerAddress: { value: 2000, unit: 'entries', min: 1, max: 1_000_000, reason: 'RE-5: sockets from one address' },
  pingIntervalMs: { value: 5 * second, unit: 'ms', min: 100, max: minute, reason: 'RE-6: pings every 5 s' },
  pingTimeoutMs: {
    value: 9 * second,
    unit: 'ms',
    min: 100,
    max: minute,
    reason: 'RE-6: 5 s and 9 s notice a loss within 15 s',
  },
  heartbeatMs: {
    value: second,
    unit: 'ms',
    min: 100,
    max: 10 * second,
    reason: 'RE-3: a node shows every second that it lives',
  },
  nodeSilentMs: {
    value: 5 * second,
    unit: 'ms',
    min: 500,
    max: minute,
    reason: 'RE-3: a node that was silent for 5 s is gone, and what it held is taken over',
  },
  movedMediaMs: {
    value: 10 * second,
    unit: 'ms',
    min: 0,
    max: minute,
    reason:
      'RE-2: media at the node that somebody left plays on while the new one is set up; a fresh connection takes under 3 s',
  },
  unavailableMs: {
    value: second,
    unit: 'ms',
    min: 100,
    max: minute,
    reason: 'RE-4: commands answer `unavailable` within 1 s',
  },
  commandsWaitingPerRoom: {
    value: 5000,
    unit: 'entries',
    min: 10,
    max: 1_000_000,
    reason: 'RE-5: commands of one room that wait for their turn; more would wait longer than anybody does',
  },
  commitAttempts: {
    value: 8,
    unit: 'times',
    min: 1,
    max: 100,
    reason: 'RE-1: attempts of one command against other nodes before `unavailable`',
  },
  drainMs: {
    value: minute,
    unit: 'ms',
    min: 0,
    max: hour,
    reason: 'OP-2: how long a stopping node waits for its people',
  },
  moderationLogDays: {
    value: 90,
    unit: 'days',
    min: 1,
    max: 3650,
    reason: 'MO-4: how long the moderation log is kept; as long as call records of members',
  },
  adminClaimMs: {
    value: day,
    unit: 'ms',
    min: minute,
    max: 30 * day,
    reason: 'OP-7: the one-time link for the first administrator expires',
  },
  queueWaitMs: {
    value: minute,
    unit: 'ms',
    min: second,
    max: hour,
    reason: 'RQ-5: people who wait 60 s without a match are told and taken out',
  },
  queueGraceMs: {
    value: 15 * second,
    unit: 'ms',
    min: 100,
    max: hour,
    reason: 'RQ-5: a place in the queue returns to whoever is back within 15 s',
  },
  languageHoldMs: {
    value: 0,
    unit: 'ms',
    min: 0,
    max: 5 * second,
    reason: 'RQ-2: how long a searcher is held for somebody who shares a language; off unless the operator wants it',
  },
  repeatHoldMs: {
    value: 5 * second,
    unit: 'ms',
    min: 0,
    max: minute,
    reason:
      'RQ-4: two who talked just now and wait alone meet again after 5 s, the longest that RQ-2 lets a preference part people',
  },
  repeatPairMs: {
    value: 10 * minute,
    unit: 'ms',
    min: 0,
    max: day,
    reason: 'RQ-4: the same pair is not matched again within 10 minutes while anybody else waits',
  },
  filterRelaxMs: {
    value: 15 * second,
    unit: 'ms',
    min: second,
    max: hour,
    reason: 'RQ-3: after 15 s filters are relaxed, one each 15 s',
  },
  priorityWaitMs: {
    value: 10 * second,
    unit: 'ms',
    min: 0,
    max: minute,
    reason: 'RQ-6: premium goes first among those who waited less than 10 s',
  },
  failedPairTimes: {
    value: 2,
    unit: 'times',
    min: 1,
    max: 100,
    reason: 'RD-3: a pair that failed to connect twice is kept apart',
  },
  failedPairMs: { value: hour, unit: 'ms', min: 0, max: day, reason: 'RD-3: for an hour' },
  relayAfterFailures: {
    value: 3,
    unit: 'times',
    min: 1,
    max: 100,
    reason: 'RD-3: from the third failure in a row a person connects through the relay',
  },
  rememberedPartners: {
    value: 50,
    unit: 'entries',
    min: 1,
    max: 1000,
    reason: 'RE-5: partners remembered for one person; at one match in 12 s those of 10 minutes',
  },
  ticketsWaiting: {
    value: 10_000,
    unit: 'people',
    min: 2,
    max: 1_000_000,
    reason: 'RE-5: people who wait at a time; more wait only where almost nobody suits',
  },
  callsAtOnce: {
    value: 5000,
    unit: 'entries',
    min: 1,
    max: 1_000_000,
    reason: 'RE-5: calls at a time; five times the 1,000 that one node is built for',
  },
  searchesPerMinute: {
    value: 30,
    unit: 'times',
    min: 1,
    max: 10_000,
    reason: 'SE-2: searches a minute by one person, with those after "next"; a person needs 2 s to see whom they met',
  },
  statsIntervalMs: {
    value: 2 * second,
    unit: 'ms',
    min: 100,
    max: minute,
    reason: 'RQ-7: the counts are sent at most every 2 s',
  },
  connectMs: {
    value: 8 * second,
    unit: 'ms',
    min: second,
    max: minute,
    reason: 'RD-3: a call that is not connected after 8 s is given up',
  },
  sfuConnectMs: {
    value: 8 * second,
    unit: 'ms',
    min: second,
    max: minute,
    reason: 'RD-4: as long again for the last resort, the SFU',
  },
  resumeMs: { value: 10 * second, unit: 'ms', min: second, max: minute, reason: 'RD-5: a call resumes within 10 s' },
  idleMs: {
    value: 90 * second,
    unit: 'ms',
    min: second,
    max: hour,
    reason: 'RD-7: after 90 s of silence from both they are asked whether they are there',
  },
  idleAnswerMs: {
    value: 30 * second,
    unit: 'ms',
    min: second,
    max: hour,
    reason: 'RD-7: 30 s without an answer end the call',
  },
  callMaxMs: { value: 4 * hour, unit: 'ms', min: second, max: day, reason: 'DC-8: a call ends after 4 h' },
  freeCallMs: {
    value: 10 * minute,
    unit: 'ms',
    min: second,
    max: day,
    reason: 'RD-8: with plans on, a free call lasts 10 minutes',
  },
  premiumCallMs: {
    value: 30 * minute,
    unit: 'ms',
    min: second,
    max: day,
    reason: 'RD-8: with plans on, a call with somebody on premium lasts 30 minutes',
  },
  callExtensionMs: {
    value: 5 * minute,
    unit: 'ms',
    min: second,
    max: day,
    reason: 'RD-8: extended by 5 minutes when both agree',
  },
  callWarningMs: { value: minute, unit: 'ms', min: second, max: hour, reason: 'RD-8: warned at 60 s' },
  callMessagesPerSecond: {
    value: 2,
    unit: 'times',
    min: 1,
    max: 1000,
    reason: 'SE-2: chat messages a second in a call by one person',
  },
  callMessageBurst: { value: 10, unit: 'times', min: 1, max: 1000, reason: 'SE-2: chat messages saved up for a burst' },
  callMessagesKeptMs: {
    value: day,
    unit: 'ms',
    min: minute,
    max: 365 * day,
    reason: 'RD-10: chat of a call is kept for 24 h as evidence',
  },
  guestCallsKeptMs: {
    value: day,
    unit: 'ms',
    min: hour,
    max: 365 * day,
    reason: 'RD-13: calls of guests are kept for 24 h',
  },
  memberCallsKeptDays: {
    value: 90,
    unit: 'days',
    min: 1,
    max: 3650,
    reason: 'RD-13: calls of members are kept for 90 days',
  },
  blocksPerPerson: {
    value: 1000,
    unit: 'people',
    min: 1,
    max: 100_000,
    reason: 'RE-5: people whom one person blocks; the list goes with them into the queue',
  },
  reportAdditions: {
    value: 20,
    unit: 'times',
    min: 1,
    max: 1000,
    reason: 'RE-5: additions to one report; a second report adds to the first',
  },
  reportsPerMinute: {
    value: 6,
    unit: 'times',
    min: 1,
    max: 1000,
    reason: 'SE-2: reports a minute by one person; each gathers its evidence',
  },
  minimumAge: { value: 18, unit: 'years', min: 13, max: 99, reason: 'ID-8: random calls ask for this age' },
  successWindowMs: {
    value: 15 * minute,
    unit: 'ms',
    min: minute,
    max: day,
    reason: 'RQ-8: success is looked at over 15 minutes',
  },
  successPercent: { value: 95, unit: 'percent', min: 0, max: 100, reason: 'RQ-8: below 95 % an alert is raised' },
  successSample: {
    value: 20,
    unit: 'times',
    min: 1,
    max: 100_000,
    reason: 'RQ-8: attempts in the window before it says anything; one failure of three is no alert',
  },
} as const satisfies Record<string, LimitDefinition>;

export type LimitName = keyof typeof limitTable;
export type Limits = { readonly [name in LimitName]: number };

/** The defaults of every limit. */
export const defaultLimits: Limits = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */
  Object.entries(limitTable).map(([name, definition]) => [name, definition.value]),
) as Limits;
