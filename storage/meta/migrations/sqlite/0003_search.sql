-- The embedded search index. Its words come from our own tokeniser (package
-- storage/index); SQLite only looks them up.

-- +goose Up
CREATE TABLE search_doc (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id  TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    state      TEXT NOT NULL,
    source_id  TEXT NOT NULL,
    language   TEXT NOT NULL,
    visibility TEXT NOT NULL,
    author     TEXT NOT NULL,
    t          INTEGER NOT NULL, -- microseconds since 1970 UTC
    words      INTEGER NOT NULL, -- how many the text has
    text       TEXT NOT NULL,
    folded     TEXT NOT NULL     -- its words as they are compared, a space before and after each
);
CREATE INDEX search_doc_t ON search_doc (t, id);

CREATE VIRTUAL TABLE search_fts USING fts5 (
    w, s, x, content = '', contentless_delete = 1, detail = column, tokenize = "ascii tokenchars '_'"
);

-- Every word ever indexed, with the stems it had: for words typed without
-- accents, in another form or with a slip. Words are never removed; whether
-- one still occurs, the index itself says.
CREATE TABLE search_word (
    word TEXT NOT NULL,
    stem TEXT NOT NULL,
    len  INTEGER NOT NULL, -- letters
    PRIMARY KEY (word, stem)
) WITHOUT ROWID;
CREATE INDEX search_word_len ON search_word (len, word);

-- What the search server has not been told yet, and which server was filled.
CREATE TABLE search_change (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id TEXT NOT NULL
);
CREATE TABLE search_server (
    url TEXT PRIMARY KEY
);
