-- +goose Up
-- What came out when a capture's words were compared with what the platform's
-- API had said. It is worked out from what is kept and can be worked out again,
-- so the evidence log does not cover it.
CREATE TABLE agreements (
    capture_id text PRIMARY KEY REFERENCES captures (id),
    method integer NOT NULL,
    words text NOT NULL,
    share integer NOT NULL,
    author text NOT NULL,
    posted text NOT NULL,
    comments text NOT NULL,
    counted text NOT NULL,
    known integer NOT NULL,
    found integer NOT NULL,
    not_shown integer NOT NULL,
    unsure integer NOT NULL,
    old integer NOT NULL,
    differing integer NOT NULL,
    missing integer NOT NULL,
    withdrawn integer NOT NULL,
    mismatches integer NOT NULL,
    findings text NOT NULL,
    unlisted integer NOT NULL
);

-- +goose Down
DROP TABLE agreements;
