-- The evidence log: entries, the stored hashes of its Merkle tree, its head.
-- Times are microseconds since 1970 UTC. Nothing here is ever changed but the
-- head; the triggers keep the program's own mistakes out, not an attacker.

-- +goose Up
CREATE TABLE evidence_entry (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    body    BLOB NOT NULL
);
CREATE INDEX evidence_entry_subject ON evidence_entry (subject);

CREATE TABLE evidence_hash (
    idx  INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);

CREATE TABLE evidence_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    size     INTEGER NOT NULL,
    note     BLOB NOT NULL,
    verifier TEXT NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER evidence_entry_no_update BEFORE UPDATE ON evidence_entry
BEGIN SELECT RAISE(ABORT, 'an evidence entry is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER evidence_entry_no_delete BEFORE DELETE ON evidence_entry
BEGIN SELECT RAISE(ABORT, 'an evidence entry is never deleted'); END;
-- +goose StatementEnd
