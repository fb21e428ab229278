package index

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// plan is a query turned into conditions on search_doc.
type plan struct {
	where   []string
	args    []any
	matcher matcher
	nothing bool // it holds words, and none that could be found
}

func (p *plan) and(condition string, args ...any) {
	p.where = append(p.where, condition)
	p.args = append(p.args, args...)
}

// plan reads a query. What it looks up on the way is limited to what this
// reader may see, except the word table, which only widens what is looked for.
func (e *embedded) plan(ctx context.Context, tx bun.IDB, q candor.Query) (*plan, error) {
	p := &plan{}
	onlyPublic := q.Visibility != candor.StaffOnly
	if onlyPublic {
		p.and("visibility = ?", string(candor.Public))
	}
	for column, value := range map[string]string{
		"kind": string(q.Kind), "state": string(q.State), "source_id": q.SourceID, "language": q.Language,
	} {
		if value != "" {
			p.and(column+" = ?", value)
		}
	}
	from, to, err := span(q)
	if err != nil {
		return nil, err
	}
	if !from.IsZero() {
		p.and("t >= ?", from.UnixMicro())
	}
	if !to.IsZero() {
		p.and("t < ?", to.UnixMicro())
	}
	terms := parse(q.Text)
	if len(terms) == 0 && strings.TrimSpace(q.Text) != "" {
		p.nothing = true
		return p, nil
	}
	var must []string
	for _, t := range terms {
		expr, grp, err := e.term(ctx, tx, t, onlyPublic)
		if err != nil {
			return nil, err
		}
		phrase := ""
		if len(t.words) > 1 {
			phrase = " " + strings.Join(t.words, " ") + " "
		}
		if t.exclude {
			if phrase == "" {
				p.and("NOT ("+e.say.match()+")", expr)
			} else {
				p.and("NOT ("+e.say.match()+" AND "+e.say.holds()+")", expr, phrase)
			}
			continue
		}
		must = append(must, expr)
		if phrase != "" {
			p.and(e.say.holds(), phrase)
		}
		p.matcher.groups = append(p.matcher.groups, grp)
	}
	if len(must) > 0 {
		if onlyPublic {
			must = append(must, e.say.public())
		}
		p.and(e.say.match(), e.say.all(must))
	}
	return p, nil
}

// term says what one term matches: a phrase its words, which must also stand
// in a row; a quoted word itself; any other word all its forms, or, when this
// reader could find none of them, the words it may be a slip of.
func (e *embedded) term(ctx context.Context, tx bun.IDB, t term, onlyPublic bool) (string, group, error) {
	if len(t.words) > 1 {
		list := make([]string, len(t.words))
		for i, w := range t.words {
			list[i] = e.say.word(w)
		}
		return e.say.all(list), group{phrase: t.words}, nil
	}
	w := t.words[0]
	if t.exact {
		return e.say.word(w), group{words: map[string]bool{w: true}}, nil
	}
	expr, grp, err := e.forms(ctx, tx, []string{w}, t.raw)
	if err != nil || t.exclude {
		return expr, grp, err
	}
	check := expr
	if onlyPublic {
		check = e.say.all([]string{expr, e.say.public()})
	}
	var found []int
	if err := tx.NewRaw(e.say.first(), check).Scan(ctx, &found); err != nil || len(found) > 0 {
		return expr, grp, err
	}
	slips, err := e.slips(ctx, tx, w)
	if err != nil || len(slips) == 0 {
		return expr, grp, err
	}
	return e.forms(ctx, tx, slips, "")
}

// forms matches words and every other form of them: the stems they were seen
// with in documents, so that neither accents nor the language of the query
// matter, and for a word never seen those it would have.
func (e *embedded) forms(ctx context.Context, tx bun.IDB, list []string, spelling string) (string, group, error) {
	grp := group{words: map[string]bool{}, stems: map[string]bool{}}
	var seen []string
	if err := tx.NewRaw("SELECT DISTINCT stem FROM search_word WHERE word IN (?)", bun.List(list)).Scan(ctx, &seen); err != nil {
		return "", grp, err
	}
	if len(seen) == 0 && spelling != "" {
		seen = stems(spelling, "")
	}
	var parts []string
	for _, w := range list {
		grp.words[w] = true
		parts = append(parts, e.say.word(w))
	}
	for _, s := range seen {
		grp.stems[s] = true
	}
	for _, s := range sorted(grp.stems) {
		parts = append(parts, e.say.stem(s))
	}
	return e.say.any(parts), grp, nil
}

// minSlip is how long a word must be to be taken for a slip of another, and
// maxSlips how many others are tried.
const (
	minSlip  = 4
	maxSlips = 24
)

// slips gives the words one slip away from a word that does not occur.
func (e *embedded) slips(ctx context.Context, tx bun.IDB, w string) ([]string, error) {
	n := utf8.RuneCountInString(w)
	if n < minSlip || n >= longest || strings.ContainsFunc(w, unicode.IsDigit) {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT DISTINCT word FROM search_word WHERE len BETWEEN ? AND ? ORDER BY word", n-1, n+1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	of := []rune(w)
	for rows.Next() {
		var other string
		if err := rows.Scan(&other); err != nil {
			return nil, err
		}
		if near(of, []rune(other)) {
			if list = append(list, other); len(list) == maxSlips {
				break
			}
		}
	}
	return list, rows.Err()
}

// span gives the moments a query's days begin and end at, on the agency's
// calendar; zero where there is no bound.
func span(q candor.Query) (from, to time.Time, err error) {
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	midnight := func(d candor.Date) (time.Time, error) {
		if d == "" {
			return time.Time{}, nil
		}
		if !d.Valid() {
			return time.Time{}, candor.Errorf(candor.Invalid, "search: there is no day %q", d)
		}
		return time.ParseInLocation(time.DateOnly, string(d), zone)
	}
	if from, err = midnight(q.From); err != nil {
		return
	}
	if q.To != "" && q.To.Valid() {
		to, err = midnight(q.To.Add(1))
	} else {
		to, err = midnight(q.To)
	}
	return
}
