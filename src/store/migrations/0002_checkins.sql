-- 0002: signed rounds.
-- Why: a check-in that a person signed is a thing of its own in the log; its read table is looked up by day, and by who
-- signed which round last. A signature tells what its person did since: events are looked up by who caused them. How far
-- the log is for somebody who sees some clients is looked up by client.

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
CREATE INDEX event_actor ON event (actor_uid, n);
CREATE INDEX event_client ON event (client, n);
