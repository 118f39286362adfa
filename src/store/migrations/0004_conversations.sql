-- 0004: conversations and replies.
-- Why: a thread under a post of ours is a thing of its own in the log; its read table is looked up by where it stands, by
-- the post and by what it is called there. A reply is a post of its own kind: it has no slot in a plan, and counts apart in
-- pacing, so that the kind is a column and a slot is a post's alone.

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

ALTER TABLE post ADD COLUMN kind TEXT NOT NULL DEFAULT 'post' CHECK (kind IN ('post', 'reply'));
DROP INDEX post_slot;
CREATE UNIQUE INDEX post_slot ON post (experiment, variant, number) WHERE kind = 'post';
CREATE INDEX post_kind ON post (account, kind, pacing_us);
