-- The evidence log: entries, the stored hashes of its Merkle tree, its head.
-- Times are microseconds since 1970 UTC. Nothing here is ever changed but the
-- head; the triggers keep the program's own mistakes out, not an attacker.

-- +goose Up
CREATE TABLE evidence_entry (
    seq     BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    body    BYTEA NOT NULL
);
CREATE INDEX evidence_entry_subject ON evidence_entry (subject);

CREATE TABLE evidence_hash (
    idx  BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL
);

CREATE TABLE evidence_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    size     BIGINT NOT NULL,
    note     BYTEA NOT NULL,
    verifier TEXT NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION evidence_entry_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an evidence entry is never changed or deleted';
END $$;
-- +goose StatementEnd
CREATE TRIGGER evidence_entry_frozen BEFORE UPDATE OR DELETE ON evidence_entry
    FOR EACH ROW EXECUTE FUNCTION evidence_entry_frozen();
