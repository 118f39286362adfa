-- The whole schema as it is now: what all migrations together make. A test holds the two equal.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    store_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    head_n INTEGER NOT NULL,
    head_hash BLOB NOT NULL CHECK (length(head_hash) = 32),
    refusal_n INTEGER NOT NULL,
    refusal_hash BLOB NOT NULL CHECK (length(refusal_hash) = 32),
    place TEXT
) STRICT;

CREATE TABLE event (
    n INTEGER PRIMARY KEY,
    time_us INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    client TEXT,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('person', 'agent', 'engine')),
    actor_uid INTEGER,
    actor_name TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    cause TEXT NOT NULL,
    type TEXT NOT NULL,
    payload TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE UNIQUE INDEX event_stream ON event (stream, version);
CREATE INDEX event_actor ON event (actor_uid, n);
CREATE INDEX event_client ON event (client, n);
CREATE TRIGGER event_never_edited BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never edited'); END;
CREATE TRIGGER event_never_deleted BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TABLE refusal (
    n INTEGER PRIMARY KEY,
    time_us INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    client TEXT,
    uid INTEGER NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    cause TEXT NOT NULL,
    refusal TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX refusal_cause ON refusal (cause);
CREATE TRIGGER refusal_never_edited BEFORE UPDATE ON refusal BEGIN SELECT RAISE(ABORT, 'refusals are never edited'); END;
CREATE TRIGGER refusal_never_deleted BEFORE DELETE ON refusal BEGIN SELECT RAISE(ABORT, 'refusals are never deleted'); END;

CREATE TABLE agency (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE client (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE account (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    client TEXT NOT NULL REFERENCES client (key)
) STRICT;
CREATE INDEX account_client ON account (client);

CREATE TABLE layer (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    client TEXT NOT NULL REFERENCES client (key)
) STRICT;

CREATE TABLE experiment (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    client TEXT NOT NULL REFERENCES client (key),
    code TEXT NOT NULL COLLATE NOCASE,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX experiment_code ON experiment (code);
CREATE INDEX experiment_client ON experiment (client);
CREATE INDEX experiment_stage ON experiment (stage);

CREATE TABLE post (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    experiment TEXT NOT NULL REFERENCES experiment (key),
    client TEXT NOT NULL REFERENCES client (key),
    account TEXT NOT NULL REFERENCES account (key),
    variant TEXT NOT NULL,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    slot_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    pacing_us INTEGER NOT NULL,
    duplicate_key BLOB NOT NULL CHECK (length(duplicate_key) = 32),
    counts_as_out INTEGER NOT NULL CHECK (counts_as_out IN (0, 1))
, kind TEXT NOT NULL DEFAULT 'post' CHECK (kind IN ('post', 'reply'))) STRICT;
-- A slot is one experiment's, variant's and number's, whatever becomes of it.
CREATE UNIQUE INDEX post_slot ON post (experiment, variant, number) WHERE kind = 'post';
-- One request under way per account, whatever the tasks do.
CREATE UNIQUE INDEX post_in_flight ON post (account) WHERE state = 'committing';
CREATE INDEX post_due ON post (state, slot_us);
CREATE INDEX post_pacing ON post (account, pacing_us);
CREATE INDEX post_calendar ON post (slot_us);
CREATE INDEX post_client ON post (client, slot_us);
CREATE INDEX post_kind ON post (account, kind, pacing_us);

CREATE TABLE conversation (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    standing TEXT NOT NULL,
    asked_us INTEGER NOT NULL,
    client TEXT NOT NULL REFERENCES client (key),
    account TEXT NOT NULL REFERENCES account (key),
    post TEXT NOT NULL REFERENCES post (key),
    began TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX conversation_began ON conversation (post, began);
CREATE INDEX conversation_standing ON conversation (standing, asked_us);
CREATE INDEX conversation_asked ON conversation (asked_us);

CREATE TABLE escalation (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    client TEXT NOT NULL REFERENCES client (key),
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    due_us INTEGER NOT NULL
) STRICT;
CREATE INDEX escalation_open ON escalation (due_us) WHERE open = 1;

CREATE TABLE checkin (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    round TEXT NOT NULL,
    day TEXT NOT NULL,
    -- The clients that it speaks of, as a JSON list; nothing for all.
    covers TEXT,
    uid INTEGER NOT NULL
) STRICT;
CREATE INDEX checkin_day ON checkin (day);
CREATE INDEX checkin_uid ON checkin (uid, round);

CREATE TABLE learning (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    words TEXT NOT NULL,
    retracted INTEGER NOT NULL CHECK (retracted IN (0, 1)),
    client TEXT NOT NULL REFERENCES client (key),
    experiment TEXT NOT NULL REFERENCES experiment (key)
) STRICT;
CREATE INDEX learning_client ON learning (client);
CREATE INDEX learning_experiment ON learning (experiment);
CREATE VIRTUAL TABLE memory USING fts5 (key UNINDEXED, words, tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER learning_remembered AFTER INSERT ON learning BEGIN
    INSERT INTO memory (key, words) VALUES (new.key, new.words);
END;
CREATE TRIGGER learning_reworded AFTER UPDATE OF words ON learning WHEN old.words <> new.words BEGIN
    DELETE FROM memory WHERE key = old.key;
    INSERT INTO memory (key, words) VALUES (new.key, new.words);
END;

CREATE TABLE snapshot (
    post TEXT NOT NULL REFERENCES post (key),
    age_us INTEGER NOT NULL,
    captured_us INTEGER NOT NULL,
    source TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (post, age_us)
) STRICT;

CREATE TABLE snapshot_row (
    post TEXT NOT NULL,
    age_us INTEGER NOT NULL,
    place INTEGER NOT NULL,
    metric TEXT NOT NULL,
    reading TEXT NOT NULL CHECK (reading IN ('value', 'missing', 'not_offered')),
    value REAL CHECK ((value IS NOT NULL) = (reading = 'value')),
    why TEXT CHECK ((why IS NOT NULL) = (reading = 'missing')),
    PRIMARY KEY (post, age_us, place),
    UNIQUE (post, age_us, metric),
    FOREIGN KEY (post, age_us) REFERENCES snapshot (post, age_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE external_post (
    account TEXT NOT NULL REFERENCES account (key),
    id TEXT NOT NULL,
    client TEXT NOT NULL REFERENCES client (key),
    url TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    text BLOB NOT NULL CHECK (length(text) = 32),
    PRIMARY KEY (account, id)
) STRICT;
CREATE INDEX external_post_at ON external_post (account, at_us);

CREATE TABLE secret_key (
    account TEXT PRIMARY KEY,
    nonce BLOB NOT NULL CHECK (length(nonce) = 24),
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE secret (
    account TEXT NOT NULL REFERENCES secret_key (account),
    kind TEXT NOT NULL,
    nonce BLOB NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB NOT NULL,
    PRIMARY KEY (account, kind)
) STRICT;

CREATE TABLE command (
    uid INTEGER NOT NULL,
    id TEXT NOT NULL,
    time_us INTEGER NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (uid, id)
) STRICT;
CREATE INDEX command_time ON command (time_us);

CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    time_us INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    beat TEXT NOT NULL
) STRICT;
