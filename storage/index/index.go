// Package index finds records by their words. The embedded engine lives in the
// same database as the records and is written in the same transaction, so it
// never says more or less than they do; on SQLite it uses FTS5, on PostgreSQL
// a tsvector, and on both only words of our own tokeniser, so that both give
// the same answers. With the address of a Meilisearch server the words are sent
// there too and it answers searches, the embedded engine standing in for it.
//
// What a reader may see is part of the question and decided before anything is
// counted: totals, facets and corrections of slips tell nothing of the rest.
package index

import (
	"context"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// Index is what every engine promises. The suite for it is in package
// storagetest.
type Index interface {
	// Put adds documents, or replaces those of the same record, within a
	// transaction: they can be found once it commits.
	Put(ctx context.Context, tx bun.IDB, docs ...candor.Doc) error
	// Search answers a query. Filters, totals and facets are exact. It fails
	// with Invalid for a date that does not exist.
	Search(ctx context.Context, q candor.Query) (Found, error)
	// Close ends what runs in the background and waits for it.
	Close() error
}

// Found is one page of what was found, by record id, in order.
type Found struct {
	IDs      []string
	Snippets map[string]string // by record id; the words found are marked as candor.Hit says
	Total    int
	Facets   map[string][]candor.Facet // kind, state, source, language; of all that was found
	Took     time.Duration
}

// Open opens the index of a database. Write and read may be the same. With an
// empty searchURL the embedded engine answers; otherwise the Meilisearch server
// there, whose key is given. The server need not be up: until it has been told
// everything, and whenever it does not answer, the embedded engine does.
func Open(ctx context.Context, write, read *bun.DB, searchURL, key string, log *slog.Logger) (Index, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	own := newEmbedded(read)
	if searchURL == "" {
		// Changes are not kept for a server that is not there: should one be
		// set later, it is filled from the beginning.
		if err := forgetServer(ctx, write); err != nil {
			return nil, err
		}
		return own, nil
	}
	return openMeili(ctx, own, write, searchURL, key, log)
}
