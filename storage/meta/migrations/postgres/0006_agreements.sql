-- +goose Up
-- What came out when a capture's words were compared with what the platform's
-- API had said. It is worked out from what is kept and can be worked out again,
-- so the evidence log does not cover it.
CREATE TABLE agreements (
    capture_id text PRIMARY KEY REFERENCES captures (id),
    method bigint NOT NULL,
    words text NOT NULL,
    share bigint NOT NULL,
    author text NOT NULL,
    posted text NOT NULL,
    comments text NOT NULL,
    counted text NOT NULL,
    known bigint NOT NULL,
    found bigint NOT NULL,
    not_shown bigint NOT NULL,
    unsure bigint NOT NULL,
    old bigint NOT NULL,
    differing bigint NOT NULL,
    missing bigint NOT NULL,
    withdrawn bigint NOT NULL,
    mismatches bigint NOT NULL,
    findings text NOT NULL,
    unlisted bigint NOT NULL
);

-- +goose Down
DROP TABLE agreements;
