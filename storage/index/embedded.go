package index

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/candor-archive/candor"
)

// embedded is the engine inside the database.
type embedded struct {
	read *bun.DB
	say  speech
	// slots keeps searches from taking every core from the captures.
	slots chan struct{}
}

func newEmbedded(read *bun.DB) *embedded {
	return &embedded{read: read, say: speechOf(read), slots: make(chan struct{}, max(2, runtime.NumCPU()))}
}

func (e *embedded) Close() error { return nil }

// maxWordBytes of distinct words are kept of one document: PostgreSQL takes
// just under a megabyte. It is some hundred thousand different words.
const maxWordBytes = 900_000

// inChunk is how many values stand in one IN list.
const inChunk = 500

func (e *embedded) Put(ctx context.Context, tx bun.IDB, docs ...candor.Doc) error {
	docs = slices.Clone(docs)
	// Everyone takes rows in the same order, so that no two wait for each other.
	slices.SortFunc(docs, func(a, b candor.Doc) int { return strings.Compare(a.RecordID, b.RecordID) })
	vocabulary := map[[2]string]bool{}
	for _, d := range docs {
		if d.RecordID == "" {
			return candor.Errorf(candor.Invalid, "index: a document without a record")
		}
		if err := e.putOne(ctx, tx, d, vocabulary); err != nil {
			return fmt.Errorf("index record %s: %w", d.RecordID, err)
		}
	}
	if err := learn(ctx, tx, vocabulary); err != nil {
		return fmt.Errorf("index words: %w", err)
	}
	return nil
}

func (e *embedded) putOne(ctx context.Context, tx bun.IDB, d candor.Doc, vocabulary map[[2]string]bool) error {
	d.Text, d.Author = storable(d.Text), storable(d.Author)
	wordSet, stemSet := map[string]bool{}, map[string]bool{}
	var folded strings.Builder
	folded.WriteByte(' ')
	count, size := 0, 0
	for t := range seq(d.Text) {
		count++
		folded.WriteString(t.word + " ")
		forms := stems(raw(d.Text, t), d.Language)
		if size > maxWordBytes {
			continue
		}
		if !wordSet[t.word] {
			wordSet[t.word] = true
			size += len(t.word) + 4
		}
		for _, s := range forms {
			vocabulary[[2]string{t.word, s}] = true
			if !stemSet[s] {
				stemSet[s] = true
				size += len(s) + 5
			}
		}
	}
	for _, w := range words(d.Author) {
		wordSet[w] = true
		vocabulary[[2]string{w, w}] = true
	}
	text := storedDoc{doc: d, words: count, folded: folded.String(), wordSet: sorted(wordSet), stemSet: sorted(stemSet)}
	return e.say.store(ctx, tx, text)
}

// storedDoc is a document taken apart, ready to be written.
type storedDoc struct {
	doc              candor.Doc
	words            int
	folded           string
	wordSet, stemSet []string
}

func (s storedDoc) public() bool { return s.doc.Visibility == candor.Public }

// storable is a text as both databases can hold it.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", " ")
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

// learn adds the words that are new to the word table, in order.
func learn(ctx context.Context, tx bun.IDB, vocabulary map[[2]string]bool) error {
	type row struct {
		bun.BaseModel `bun:"table:search_word"`

		Word string `bun:"word"`
		Stem string `bun:"stem"`
		Len  int    `bun:"len"`
	}
	wordSet := map[string]bool{}
	for pair := range vocabulary {
		wordSet[pair[0]] = true
	}
	for part := range slices.Chunk(sorted(wordSet), inChunk) {
		var known []row
		if err := tx.NewSelect().Model(&known).Column("word", "stem").Where("word IN (?)", bun.List(part)).Scan(ctx); err != nil {
			return err
		}
		for _, r := range known {
			delete(vocabulary, [2]string{r.Word, r.Stem})
		}
	}
	fresh := make([]row, 0, len(vocabulary))
	for pair := range vocabulary {
		fresh = append(fresh, row{Word: pair[0], Stem: pair[1], Len: utf8.RuneCountInString(pair[0])})
	}
	slices.SortFunc(fresh, func(a, b row) int {
		return cmp.Or(strings.Compare(a.Word, b.Word), strings.Compare(a.Stem, b.Stem))
	})
	for part := range slices.Chunk(fresh, inChunk) {
		if _, err := tx.NewInsert().Model(&part).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// snapshot runs f on one state of the database, so that totals, facets and the
// page of one answer agree.
func (e *embedded) snapshot(ctx context.Context, f func(ctx context.Context, tx bun.Tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if e.read.Dialect().Name() == dialect.PG {
		opts.Isolation = sql.LevelRepeatableRead
	}
	return e.read.RunInTx(ctx, opts, f)
}
