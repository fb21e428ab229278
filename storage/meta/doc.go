// Package meta keeps everything that is rows: sources, records, captures,
// requests and the people who work with them, on SQLite or on PostgreSQL.
//
// One type, Repo, holds every statement and runs on either engine, over the
// database or inside a transaction. It knows no rules: who may see what, what a
// sweep changes and what the evidence log must cover is decided by package
// storage, which also begins and ends the transactions.
//
// Values come back as they were written: times in UTC to the microsecond,
// durations in nanoseconds, lists as JSON text.
package meta
