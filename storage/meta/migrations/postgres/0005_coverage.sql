-- +goose Up
-- What was counted of a source on one day of the agency's calendar. Captures
-- may name a source that was never here, so the table refers to none.
CREATE TABLE coverage_days (
    source_id text NOT NULL,
    date text NOT NULL,
    visits bigint NOT NULL,
    short bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    every bigint NOT NULL,
    waiting text NOT NULL,
    longest bigint NOT NULL,
    lost bigint NOT NULL,
    added bigint NOT NULL,
    edited bigint NOT NULL,
    withdrawn bigint NOT NULL,
    complete bigint NOT NULL,
    partial bigint NOT NULL,
    failed bigint NOT NULL,
    gaps text NOT NULL,
    cost bigint NOT NULL,
    PRIMARY KEY (source_id, date)
);

CREATE TABLE coverage_pauses (
    source_id text NOT NULL REFERENCES sources (id),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    why text NOT NULL,
    PRIMARY KEY (source_id, since)
);

-- Of sources that are here already nothing was counted until now, and since
-- when those that are paused or removed have been so is not known.
INSERT INTO coverage_pauses (source_id, since, until, why)
    SELECT id, created_at, now(), 'uncounted' FROM sources;
INSERT INTO coverage_pauses (source_id, since, until, why)
    SELECT source_id, until, '0001-01-01 00:00:00+00:00', 'staff' FROM coverage_pauses
    WHERE source_id IN (SELECT id FROM sources WHERE paused OR removed);

CREATE INDEX records_posted ON records (source_id, posted_at);

-- +goose Down
DROP INDEX records_posted;
DROP TABLE coverage_pauses;
DROP TABLE coverage_days;
