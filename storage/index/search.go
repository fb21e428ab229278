package index

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// ranked is how many of the shortest matches are put in order by score; the
// shorter a text that holds all terms, the better it scores. Those after them
// follow by length, so that every page is reached and none twice.
const ranked = 200

// scored is how much of a text is looked at for its score, in letters.
const scored = 8000

type docRow struct {
	ID       int64  `bun:"id"`
	RecordID string `bun:"record_id"`
	Language string `bun:"language"`
	T        int64  `bun:"t"`
	Text     string `bun:"text"`
}

func (e *embedded) Search(ctx context.Context, q candor.Query) (Found, error) {
	began := time.Now()
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return Found{}, fmt.Errorf("search: %w", ctx.Err())
	}
	found := Found{Snippets: map[string]string{}, Facets: map[string][]candor.Facet{}}
	err := e.snapshot(ctx, func(ctx context.Context, tx bun.Tx) error {
		p, err := e.plan(ctx, tx, q)
		if err != nil || p.nothing {
			return err
		}
		if err := p.count(ctx, tx, &found); err != nil {
			return err
		}
		offset, limit := page(q)
		if found.Total <= offset {
			return nil
		}
		found.IDs, err = p.page(ctx, tx, order(q), offset, limit)
		if err != nil {
			return err
		}
		found.Snippets, err = p.matcher.snippets(ctx, tx, found.IDs)
		return err
	})
	if err != nil {
		return Found{}, fmt.Errorf("search: %w", err)
	}
	found.Took = time.Since(began)
	return found, nil
}

// page gives the part of the answer a query asks for.
func page(q candor.Query) (offset, limit int) {
	limit = q.PerPage
	if limit <= 0 {
		limit = 20
	}
	limit = min(limit, 100)
	return (min(max(q.Page, 1), 1_000_000) - 1) * limit, limit
}

// order is newest, oldest or best.
func order(q candor.Query) string {
	switch {
	case q.Sort == "newest" || q.Sort == "oldest":
		return q.Sort
	case strings.TrimSpace(q.Text) == "":
		return "newest"
	}
	return "best"
}

func (p *plan) from() string {
	if len(p.where) == 0 {
		return " FROM search_doc"
	}
	return " FROM search_doc WHERE " + strings.Join(p.where, " AND ")
}

// count gives the exact total and facets in one pass.
func (p *plan) count(ctx context.Context, tx bun.IDB, found *Found) error {
	rows, err := tx.QueryContext(ctx, "SELECT kind, state, source_id, language, count(*)"+p.from()+" GROUP BY 1, 2, 3, 4", p.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names := []string{"kind", "state", "source", "language"}
	sums := make([]map[string]int, len(names))
	for i := range sums {
		sums[i] = map[string]int{}
	}
	for rows.Next() {
		values, n := make([]string, len(names)), 0
		if err := rows.Scan(&values[0], &values[1], &values[2], &values[3], &n); err != nil {
			return err
		}
		found.Total += n
		for i, v := range values {
			if v != "" {
				sums[i][v] += n
			}
		}
	}
	for i, name := range names {
		found.Facets[name] = facets(sums[i])
	}
	return rows.Err()
}

// facets puts the most frequent values first.
func facets(sums map[string]int) []candor.Facet {
	list := make([]candor.Facet, 0, len(sums))
	for v, n := range sums {
		list = append(list, candor.Facet{Value: v, Count: n})
	}
	slices.SortFunc(list, func(a, b candor.Facet) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Value, b.Value))
	})
	return list
}

// page gives the record ids of one page.
func (p *plan) page(ctx context.Context, tx bun.IDB, by string, offset, limit int) ([]string, error) {
	orders := map[string]string{"newest": "t DESC, id DESC", "oldest": "t, id", "best": "words, t DESC, id DESC"}
	var ids []string
	if by == "best" && len(p.matcher.groups) > 0 && offset < ranked {
		var rows []docRow
		err := tx.NewRaw("SELECT id, record_id, language, t, substr(text, 1, ?) AS text"+p.from()+" ORDER BY "+orders[by]+" LIMIT ?",
			slices.Concat([]any{scored}, p.args, []any{ranked})...).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		for _, r := range p.matcher.rank(rows)[min(offset, len(rows)):min(offset+limit, len(rows))] {
			ids = append(ids, r.RecordID)
		}
		if offset+limit <= ranked || len(rows) < ranked {
			return ids, nil
		}
		offset, limit = ranked, offset+limit-ranked
	}
	var more []string
	err := tx.NewRaw("SELECT record_id"+p.from()+" ORDER BY "+orders[by]+" LIMIT ? OFFSET ?",
		slices.Concat(p.args, []any{limit, offset})...).Scan(ctx, &more)
	return append(ids, more...), err
}

// rank puts rows in order of their score, the newer of equals first.
func (m *matcher) rank(rows []docRow) []docRow {
	scores := make(map[int64]float64, len(rows))
	for _, r := range rows {
		scores[r.ID] = m.score(r.Text, r.Language)
	}
	slices.SortFunc(rows, func(a, b docRow) int {
		return cmp.Or(cmp.Compare(scores[b.ID], scores[a.ID]), cmp.Compare(b.T, a.T), cmp.Compare(b.ID, a.ID))
	})
	return rows
}

// snippets makes the snippets of a page.
func (m *matcher) snippets(ctx context.Context, tx bun.IDB, ids []string) (map[string]string, error) {
	made := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return made, nil
	}
	var rows []docRow
	err := tx.NewRaw("SELECT record_id, language, text FROM search_doc WHERE record_id IN (?)", bun.List(ids)).Scan(ctx, &rows)
	for _, r := range rows {
		made[r.RecordID] = m.snippet(r.Text, r.Language)
	}
	return made, err
}
