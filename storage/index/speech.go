package index

import (
	"context"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// speech is how one database engine is spoken to. Words and stems hold only
// letters and digits, so quoting them cannot go wrong.
type speech interface {
	// store writes a document and its words.
	store(ctx context.Context, tx bun.IDB, d storedDoc) error
	word(w string) string
	stem(s string) string
	public() string // holds for what everyone may see
	any(list []string) string
	all(list []string) string
	// match is a condition on search_doc, with one argument: an expression.
	match() string
	// holds is a condition on search_doc, with one argument: words in a row.
	holds() string
	// first is a statement that gives a row when any document matches its
	// argument.
	first() string
}

func speechOf(db *bun.DB) speech {
	if db.Dialect().Name() == dialect.PG {
		return postgres{}
	}
	return sqlite{}
}

const docColumns = "record_id, kind, state, source_id, language, visibility, author, t, words, text, folded"

const docUpdate = `ON CONFLICT (record_id) DO UPDATE SET kind = excluded.kind, state = excluded.state, source_id = excluded.source_id,
 language = excluded.language, visibility = excluded.visibility, author = excluded.author, t = excluded.t, words = excluded.words,
 text = excluded.text, folded = excluded.folded`

func docValues(d storedDoc) []any {
	return []any{d.doc.RecordID, string(d.doc.Kind), string(d.doc.State), d.doc.SourceID, d.doc.Language, string(d.doc.Visibility),
		d.doc.Author, d.doc.Time.UnixMicro(), d.words, d.doc.Text, d.folded}
}

// sqlite speaks FTS5: column w holds words, s stems, x markers.
type sqlite struct{}

func (sqlite) word(w string) string     { return `w : "` + w + `"` }
func (sqlite) stem(s string) string     { return `s : "` + s + `"` }
func (sqlite) public() string           { return `x : "_public"` }
func (sqlite) any(list []string) string { return "(" + strings.Join(list, " OR ") + ")" }
func (sqlite) all(list []string) string { return "(" + strings.Join(list, " AND ") + ")" }
func (sqlite) match() string {
	return "id IN (SELECT rowid FROM search_fts WHERE search_fts MATCH ?)"
}
func (sqlite) holds() string { return "instr(folded, ?) > 0" }
func (sqlite) first() string { return "SELECT 1 FROM search_fts WHERE search_fts MATCH ? LIMIT 1" }

func (sqlite) store(ctx context.Context, tx bun.IDB, d storedDoc) error {
	var id int64
	err := tx.NewRaw("INSERT INTO search_doc ("+docColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "+docUpdate+" RETURNING id",
		docValues(d)...).Scan(ctx, &id)
	if err != nil {
		return err
	}
	markers := "_all"
	if d.public() {
		markers += " _public"
	}
	// A contentless table is replaced row by row, all columns at once.
	_, err = tx.NewRaw("INSERT OR REPLACE INTO search_fts (rowid, w, s, x) VALUES (?, ?, ?, ?)",
		id, strings.Join(d.wordSet, " "), strings.Join(d.stemSet, " "), markers).Exec(ctx)
	return err
}

// postgres speaks tsvector: a word is itself, a stem begins with "=", a marker
// with "@".
type postgres struct{}

func (postgres) word(w string) string     { return "'" + w + "'" }
func (postgres) stem(s string) string     { return "'=" + s + "'" }
func (postgres) public() string           { return "'@public'" }
func (postgres) any(list []string) string { return "(" + strings.Join(list, " | ") + ")" }
func (postgres) all(list []string) string { return "(" + strings.Join(list, " & ") + ")" }
func (postgres) match() string            { return "terms @@ CAST(? AS tsquery)" }
func (postgres) holds() string            { return "strpos(folded, ?) > 0" }
func (postgres) first() string {
	return "SELECT 1 FROM search_doc WHERE terms @@ CAST(? AS tsquery) LIMIT 1"
}

func (p postgres) store(ctx context.Context, tx bun.IDB, d storedDoc) error {
	var terms strings.Builder
	terms.WriteString("'@all'")
	if d.public() {
		terms.WriteString(" " + p.public())
	}
	for _, w := range d.wordSet {
		terms.WriteString(" " + p.word(w))
	}
	for _, s := range d.stemSet {
		terms.WriteString(" " + p.stem(s))
	}
	_, err := tx.NewRaw("INSERT INTO search_doc ("+docColumns+", terms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS tsvector)) "+
		docUpdate+", terms = excluded.terms", append(docValues(d), terms.String())...).Exec(ctx)
	return err
}
