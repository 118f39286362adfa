-- 0002: signed rounds.
-- Why: a check-in that a person signed is a thing of its own in the log; its read table is looked up by day, and by who
-- signed which round last.

CREATE TABLE checkin (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    round TEXT NOT NULL,
    day TEXT NOT NULL,
    client TEXT REFERENCES client (key),
    uid INTEGER NOT NULL
) STRICT;
CREATE INDEX checkin_day ON checkin (day);
CREATE INDEX checkin_uid ON checkin (uid, round);
