-- 0003: Memory.
-- Why: what an experiment taught is a thing of its own in the log, and is found by its words. The words stand in an index
-- of their own, kept by the table itself, so that none can be forgotten.

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
