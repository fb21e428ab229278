-- +goose Up
-- Who is told of a source's trouble, what is known of its access token, and how
-- many reminders of the token's end were sent.
ALTER TABLE sources ADD COLUMN owner text NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN token_set_at timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00+00:00';
ALTER TABLE sources ADD COLUMN token_set_by text NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN token_expires text NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN expiry_told bigint NOT NULL DEFAULT 0;
-- Tokens could only be set together with their source until now.
UPDATE sources SET token_set_at = created_at WHERE token IS NOT NULL;

-- One row for each time in which visits of a source did not go well.
CREATE TABLE source_troubles (
    source_id text NOT NULL REFERENCES sources (id),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    good_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    visits bigint NOT NULL,
    reason text NOT NULL,
    lost_at timestamptz NOT NULL,
    told bigint NOT NULL,
    PRIMARY KEY (source_id, since)
);
CREATE INDEX source_troubles_until ON source_troubles (until);

-- +goose Down
DROP TABLE source_troubles;
ALTER TABLE sources DROP COLUMN expiry_told;
ALTER TABLE sources DROP COLUMN token_expires;
ALTER TABLE sources DROP COLUMN token_set_by;
ALTER TABLE sources DROP COLUMN token_set_at;
ALTER TABLE sources DROP COLUMN owner;
