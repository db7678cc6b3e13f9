-- A file of records of version 1, with something in every table: what the first release left behind. Never changed.
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1383298162;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    address_hash TEXT,
    device_id TEXT
  ) STRICT, WITHOUT ROWID;
INSERT INTO users VALUES('admin-cleo000000000000','Cleo','admin',1750000000000,1750000000002,NULL,NULL);
INSERT INTO users VALUES('guest-ana0000000000000','Aña ''O"Brien''','guest',1750000000000,1750000000005,'an-address','a-device');
INSERT INTO users VALUES('member-bob000000000000','Bob','member',1750000000000,1750000000001,NULL,NULL);
CREATE TABLE rooms (
    room_id TEXT PRIMARY KEY,
    creator_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    end_reason TEXT
  ) STRICT, WITHOUT ROWID;
INSERT INTO rooms VALUES('room-one00000000000000','guest-ana0000000000000','member-bob000000000000','{"title":"Tea","description":"One\nTwo","type":"public","category":"other","language":"en","tags":["a","b"],"maxParticipants":500,"maxSpeakers":10,"audioQuality":"medium","permissions":{"anyoneCanSpeak":false,"allowRecording":false,"allowHandRaise":true},"privacy":{"requireApproval":false,"hideParticipants":false,"allowInvites":true}}',1750000000000,1750000000000,NULL,NULL);
INSERT INTO rooms VALUES('room-two00000000000000','guest-ana0000000000000','guest-ana0000000000000','{"title":"Tea","description":"One\nTwo","type":"public","category":"other","language":"en","tags":["a","b"],"maxParticipants":500,"maxSpeakers":10,"audioQuality":"medium","permissions":{"anyoneCanSpeak":false,"allowRecording":false,"allowHandRaise":true},"privacy":{"requireApproval":false,"hideParticipants":false,"allowInvites":true}}',1750000000001,1750000000001,1750000000009,'host-ended');
CREATE TABLE bans (
    host_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    by_id TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL,
    address_hash TEXT,
    device_id TEXT,
    traces_until INTEGER,
    PRIMARY KEY (host_id, user_id)
  ) STRICT, WITHOUT ROWID;
INSERT INTO bans VALUES('member-bob000000000000','guest-eve0000000000000','Eve','member-bob000000000000','shouting',1750000000000,'h','d',1750086400000);
CREATE TABLE moderation (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    entry_id TEXT NOT NULL UNIQUE,
    room_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    act TEXT NOT NULL,
    by_id TEXT NOT NULL,
    by_name TEXT NOT NULL,
    user_id TEXT,
    display_name TEXT,
    reason TEXT
  ) STRICT;
INSERT INTO moderation VALUES(1,'entry-one0000000000000','room-one00000000000000','member-bob000000000000',1750000000000,'ban','member-bob000000000000','Bob','guest-eve0000000000000','Eve','shouting');
INSERT INTO moderation VALUES(2,'entry-two0000000000000','room-one00000000000000','member-bob000000000000',1750000000000,'mute-all','member-bob000000000000','Bob',NULL,NULL,NULL);
CREATE TABLE claim (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    code_hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
INSERT INTO claim VALUES(1,'a-hash',1750086400000);
CREATE TABLE probe (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    probed_at INTEGER NOT NULL
  ) STRICT;
INSERT INTO probe VALUES(1,0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('moderation',2);
CREATE INDEX guests_by_last_seen ON users (last_seen_at) WHERE kind = 'guest';
CREATE INDEX admins ON users (user_id) WHERE kind = 'admin';
CREATE INDEX rooms_by_creator ON rooms (creator_id, created_at);
CREATE INDEX rooms_without_end ON rooms (room_id) WHERE ended_at IS NULL;
CREATE INDEX bans_by_address ON bans (host_id, address_hash) WHERE address_hash IS NOT NULL;
CREATE INDEX bans_by_device ON bans (host_id, device_id) WHERE device_id IS NOT NULL;
CREATE INDEX bans_by_traces_until ON bans (traces_until) WHERE traces_until IS NOT NULL;
CREATE INDEX moderation_by_room ON moderation (room_id, at, position);
CREATE INDEX moderation_by_time ON moderation (at);
COMMIT;
