-- +goose Up
-- Times are UTC. A time that is not known is the year 1, so that comparing
-- never meets NULL. Ids are random text made by the program.

CREATE TABLE agency (
    id integer PRIMARY KEY CHECK (id = 1),
    name text NOT NULL,
    short text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    address text NOT NULL,
    time_zone text NOT NULL,
    jurisdiction text NOT NULL,
    designated_days text NOT NULL,
    optional_days boolean NOT NULL,
    created_at timestamp NOT NULL
);

CREATE TABLE users (
    id text PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    roles text NOT NULL,
    password_hash text NOT NULL,
    language text NOT NULL,
    disabled boolean NOT NULL,
    created_at timestamp NOT NULL,
    last_sign_in timestamp NOT NULL
);

CREATE TABLE sessions (
    hash text PRIMARY KEY,
    user_id text NOT NULL,
    request_id text NOT NULL,
    data blob,
    created_at timestamp NOT NULL,
    used_at timestamp NOT NULL,
    expires_at timestamp NOT NULL,
    agent text NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE sign_in_failures (
    id text PRIMARY KEY,
    key text NOT NULL,
    at timestamp NOT NULL
);
CREATE INDEX sign_in_failures_key ON sign_in_failures (key, at);

CREATE TABLE accounts (
    id text PRIMARY KEY,
    platform text NOT NULL,
    platform_id text NOT NULL,
    handle text NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    first_seen timestamp NOT NULL,
    UNIQUE (platform, platform_id)
);

CREATE TABLE sources (
    id text PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    apiurl text NOT NULL,
    account_id text NOT NULL,
    language text NOT NULL,
    department text NOT NULL,
    public boolean NOT NULL,
    every integer NOT NULL,
    paused boolean NOT NULL,
    last_poll_at timestamp NOT NULL,
    next_poll_at timestamp NOT NULL,
    last_error text NOT NULL,
    created_at timestamp NOT NULL,
    token blob,
    state blob,
    removed boolean NOT NULL
);
CREATE INDEX sources_due ON sources (next_poll_at);

CREATE TABLE records (
    id text PRIMARY KEY,
    source_id text NOT NULL REFERENCES sources (id),
    account_id text NOT NULL,
    uid text NOT NULL,
    kind text NOT NULL,
    thread_id text NOT NULL,
    parent_id text NOT NULL,
    author_id text NOT NULL,
    author text NOT NULL,
    by_agency boolean NOT NULL,
    url text NOT NULL,
    language text NOT NULL,
    state text NOT NULL,
    visibility text NOT NULL,
    revisions integer NOT NULL,
    posted_at timestamp NOT NULL,
    first_seen timestamp NOT NULL,
    last_seen timestamp NOT NULL,
    state_since timestamp NOT NULL,
    was_public boolean NOT NULL,
    UNIQUE (source_id, uid)
);
CREATE INDEX records_thread ON records (thread_id);
CREATE INDEX records_unseen ON records (source_id, last_seen);

CREATE TABLE page_texts (
    record_id text PRIMARY KEY REFERENCES records (id),
    capture_id text NOT NULL,
    text text NOT NULL
);

CREATE TABLE revisions (
    id text PRIMARY KEY,
    record_id text NOT NULL REFERENCES records (id),
    n integer NOT NULL,
    text text NOT NULL,
    html text NOT NULL,
    content_hash text NOT NULL,
    seen_at timestamp NOT NULL,
    edited_at timestamp NOT NULL,
    how text NOT NULL,
    answer_sha text NOT NULL,
    UNIQUE (record_id, n)
);

CREATE TABLE attachments (
    id text PRIMARY KEY,
    revision_id text NOT NULL REFERENCES revisions (id),
    n integer NOT NULL,
    type text NOT NULL,
    url text NOT NULL,
    alt text NOT NULL,
    sha text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    failure text NOT NULL,
    UNIQUE (revision_id, n)
);

CREATE TABLE tombstones (
    id text PRIMARY KEY,
    record_id text NOT NULL REFERENCES records (id),
    not_before timestamp NOT NULL,
    not_after timestamp NOT NULL,
    noticed_at timestamp NOT NULL,
    how text NOT NULL,
    answer_sha text NOT NULL,
    closed_at timestamp NOT NULL
);
CREATE INDEX tombstones_record ON tombstones (record_id);

CREATE TABLE answers (
    id text PRIMARY KEY,
    source_id text NOT NULL REFERENCES sources (id),
    method text NOT NULL,
    url text NOT NULL,
    status integer NOT NULL,
    header text NOT NULL,
    media_type text NOT NULL,
    sha text NOT NULL,
    size integer NOT NULL,
    truncated boolean NOT NULL,
    fetched_at timestamp NOT NULL,
    last_at timestamp NOT NULL,
    times integer NOT NULL
);
CREATE INDEX answers_last ON answers (source_id, url, last_at);

CREATE TABLE captures (
    id text PRIMARY KEY,
    source_id text NOT NULL,
    record_id text NOT NULL,
    url text NOT NULL,
    final_url text NOT NULL,
    title text NOT NULL,
    profile text NOT NULL,
    policy text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    http_status integer NOT NULL,
    why text NOT NULL,
    page_height integer NOT NULL,
    scheduled_at timestamp NOT NULL,
    started_at timestamp NOT NULL,
    finished_at timestamp NOT NULL,
    committed_at timestamp NOT NULL,
    browser text NOT NULL,
    manifest_sha text NOT NULL,
    visibility text NOT NULL,
    evidence_seq integer NOT NULL
);
CREATE INDEX captures_record ON captures (record_id, committed_at);
CREATE INDEX captures_committed ON captures (committed_at);

CREATE TABLE artefacts (
    capture_id text NOT NULL REFERENCES captures (id),
    n integer NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    sha text NOT NULL,
    size integer NOT NULL,
    media_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    truncated boolean NOT NULL,
    PRIMARY KEY (capture_id, n)
);
CREATE INDEX artefacts_sha ON artefacts (sha);

CREATE TABLE requests (
    id text PRIMARY KEY,
    number text NOT NULL UNIQUE,
    stage text NOT NULL,
    disposition text NOT NULL,
    language text NOT NULL,
    text text NOT NULL,
    summary text NOT NULL,
    about_id text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    phone text NOT NULL,
    postal text NOT NULL,
    channel text NOT NULL,
    assignee_id text NOT NULL,
    law text NOT NULL,
    received_at timestamp NOT NULL,
    closed_at timestamp NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE INDEX requests_received ON requests (received_at);

CREATE TABLE request_numbers (
    short text NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    PRIMARY KEY (short, year)
);

CREATE TABLE links (
    hash text PRIMARY KEY,
    request_id text NOT NULL REFERENCES requests (id),
    created_at timestamp NOT NULL,
    replaced_at timestamp NOT NULL
);
CREATE INDEX links_request ON links (request_id);

CREATE TABLE events (
    id text PRIMARY KEY,
    request_id text NOT NULL REFERENCES requests (id),
    n integer NOT NULL,
    kind text NOT NULL,
    at timestamp NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor text NOT NULL,
    detail text NOT NULL,
    law text NOT NULL,
    UNIQUE (request_id, n)
);

CREATE TABLE messages (
    id text PRIMARY KEY,
    request_id text NOT NULL REFERENCES requests (id),
    event_id text NOT NULL REFERENCES events (id),
    outgoing boolean NOT NULL,
    author_id text NOT NULL,
    author text NOT NULL,
    body text NOT NULL,
    language text NOT NULL,
    at timestamp NOT NULL,
    n integer NOT NULL
);
CREATE INDEX messages_request ON messages (request_id);

CREATE TABLE responsive_records (
    id text PRIMARY KEY,
    request_id text NOT NULL REFERENCES requests (id),
    record_id text NOT NULL,
    capture_id text NOT NULL,
    marked_by text NOT NULL,
    marked_at timestamp NOT NULL,
    note text NOT NULL
);
CREATE INDEX responsive_records_request ON responsive_records (request_id);

CREATE TABLE productions (
    id text PRIMARY KEY,
    request_id text NOT NULL REFERENCES requests (id),
    state text NOT NULL,
    prepared_by text NOT NULL,
    prepared_at timestamp NOT NULL,
    approved_by text NOT NULL,
    approved_at timestamp NOT NULL,
    note text NOT NULL,
    reason text NOT NULL,
    bundle_sha text NOT NULL,
    bundle_size integer NOT NULL
);
CREATE INDEX productions_request ON productions (request_id);

CREATE TABLE production_items (
    id text PRIMARY KEY,
    production_id text NOT NULL REFERENCES productions (id),
    n integer NOT NULL,
    record_id text NOT NULL,
    capture_id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    sha text NOT NULL,
    parent_sha text NOT NULL,
    size integer NOT NULL,
    media_type text NOT NULL,
    UNIQUE (production_id, n)
);

CREATE TABLE releases (
    id text PRIMARY KEY,
    request_id text NOT NULL REFERENCES requests (id),
    production_id text NOT NULL REFERENCES productions (id),
    "by" text NOT NULL,
    at timestamp NOT NULL,
    "to" text NOT NULL
);
CREATE INDEX releases_request ON releases (request_id);

CREATE TABLE mails (
    id text PRIMARY KEY,
    request_id text NOT NULL,
    "to" text NOT NULL,
    language text NOT NULL,
    template text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    state text NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL,
    created_at timestamp NOT NULL,
    sent_at timestamp NOT NULL
);
CREATE INDEX mails_created ON mails (created_at);
CREATE INDEX mails_request ON mails (request_id);

-- +goose Down
DROP TABLE mails;
DROP TABLE releases;
DROP TABLE production_items;
DROP TABLE productions;
DROP TABLE responsive_records;
DROP TABLE messages;
DROP TABLE events;
DROP TABLE links;
DROP TABLE request_numbers;
DROP TABLE requests;
DROP TABLE artefacts;
DROP TABLE captures;
DROP TABLE answers;
DROP TABLE tombstones;
DROP TABLE attachments;
DROP TABLE revisions;
DROP TABLE page_texts;
DROP TABLE records;
DROP TABLE sources;
DROP TABLE accounts;
DROP TABLE sign_in_failures;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE agency;
