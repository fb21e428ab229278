package index

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meilisearch/meilisearch-go"
	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// meili answers from a Meilisearch server. The embedded engine is kept beside
// it, in the same transactions: it is the list of what the server must be told,
// it stands in while the server lags behind or does not answer, and it makes
// the snippets, so that nothing the server still remembers is ever shown.
//
// Meilisearch reads only the first 65,535 words of a text.
type meili struct {
	*embedded
	write *bun.DB
	log   *slog.Logger
	index meilisearch.IndexManager
	sends meilisearch.ServiceManager
	uid   string
	nudge chan struct{}
	stop  context.CancelFunc
	ended chan struct{}
}

// answerIn is how long the server may take over one search before the embedded
// engine is asked instead.
const answerIn = 3 * time.Second

// indexName is the index used when the address names none.
const indexName = "candor"

func openMeili(ctx context.Context, own *embedded, write *bun.DB, searchURL, key string, log *slog.Logger) (Index, error) {
	u, err := url.Parse(searchURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, candor.Errorf(candor.Invalid, "the address of the search server is not a URL: write http://host:7700, or http://host:7700/INDEX")
	}
	m := &meili{embedded: own, write: write, log: log, uid: strings.Trim(u.Path, "/"), nudge: make(chan struct{}, 1), ended: make(chan struct{})}
	if m.uid == "" {
		m.uid = indexName
	}
	server := u.Scheme + "://" + u.Host
	if err := m.remember(ctx, server+"/"+m.uid); err != nil {
		return nil, fmt.Errorf("search server: %w", err)
	}
	m.sends = meilisearch.New(server, meilisearch.WithAPIKey(key), meilisearch.DisableRetries(),
		meilisearch.WithCustomClient(&http.Client{Timeout: 30 * time.Second}))
	m.index = m.sends.Index(m.uid)
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	go m.push(ctx)
	return m, nil
}

func (m *meili) Close() error {
	m.stop()
	<-m.ended
	m.sends.Close()
	return nil
}

func (m *meili) Put(ctx context.Context, tx bun.IDB, docs ...candor.Doc) error {
	if len(docs) == 0 {
		return nil
	}
	if err := m.embedded.Put(ctx, tx, docs...); err != nil {
		return err
	}
	changes := make([]changeRow, len(docs))
	for i, d := range docs {
		changes[i].RecordID = d.RecordID
	}
	if _, err := tx.NewInsert().Model(&changes).Exec(ctx); err != nil {
		return fmt.Errorf("index: note the change: %w", err)
	}
	select {
	case m.nudge <- struct{}{}:
	default: // it is awake already, or will look by itself
	}
	return nil
}

func (m *meili) Search(ctx context.Context, q candor.Query) (Found, error) {
	waiting, err := m.waiting(ctx)
	if err != nil {
		return Found{}, fmt.Errorf("search: %w", err)
	}
	if !waiting {
		found, err := m.ask(ctx, q)
		if err == nil || candor.IsKind(err, candor.Invalid) || ctx.Err() != nil {
			return found, err
		}
		m.log.Warn("the search server does not answer; the embedded index does", "error", err)
	}
	return m.embedded.Search(ctx, q)
}

func (m *meili) ask(ctx context.Context, q candor.Query) (Found, error) {
	began := time.Now()
	filter, err := filters(q)
	if err != nil {
		return Found{}, err
	}
	offset, limit := page(q)
	perPage := int64(limit)
	ask := &meilisearch.SearchRequest{
		Filter: filter, Facets: []string{"kind", "state", "source_id", "language"},
		Page: int64(offset/limit) + 1, HitsPerPage: &perPage,
		MatchingStrategy: meilisearch.All, AttributesToRetrieve: []string{"id"},
	}
	switch order(q) {
	case "newest":
		ask.Sort = []string{"t:desc"}
	case "oldest":
		ask.Sort = []string{"t:asc"}
	}
	limited, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	answer, err := m.index.SearchWithContext(limited, q.Text, ask)
	if err != nil {
		return Found{}, err
	}
	found := Found{Total: int(answer.TotalHits), Facets: map[string][]candor.Facet{}}
	var counts map[string]map[string]int
	if len(answer.FacetDistribution) > 0 {
		if err := json.Unmarshal(answer.FacetDistribution, &counts); err != nil {
			return Found{}, fmt.Errorf("facets: %w", err)
		}
	}
	for theirs, ours := range map[string]string{"kind": "kind", "state": "state", "source_id": "source", "language": "language"} {
		delete(counts[theirs], "")
		found.Facets[ours] = facets(counts[theirs])
	}
	ids := make([]string, len(answer.Hits))
	for i, h := range answer.Hits {
		if err := json.Unmarshal(h["id"], &ids[i]); err != nil {
			return Found{}, fmt.Errorf("hit %d: %w", i, err)
		}
	}
	err = m.snapshot(ctx, func(ctx context.Context, tx bun.Tx) error {
		if found.IDs, err = visible(ctx, tx, ids, q.Visibility == candor.StaffOnly); err != nil {
			return err
		}
		found.Total -= len(ids) - len(found.IDs)
		p, err := m.plan(ctx, tx, q)
		if err != nil {
			return err
		}
		found.Snippets, err = p.matcher.snippets(ctx, tx, found.IDs)
		return err
	})
	found.Took = time.Since(began)
	return found, err
}

// visible leaves out what the database says this reader may not see, whatever
// the server believes.
func visible(ctx context.Context, tx bun.IDB, ids []string, all bool) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var may []string
	q := tx.NewSelect().Table("search_doc").Column("record_id").Where("record_id IN (?)", bun.List(ids))
	if !all {
		q = q.Where("visibility = ?", string(candor.Public))
	}
	if err := q.Scan(ctx, &may); err != nil {
		return nil, err
	}
	set := make(map[string]bool, len(may))
	for _, id := range may {
		set[id] = true
	}
	kept := make([]string, 0, len(ids))
	for _, id := range ids {
		if set[id] {
			kept = append(kept, id)
		}
	}
	return kept, nil
}

// filters is a query's filters in the server's language; all must hold.
func filters(q candor.Query) ([]string, error) {
	var list []string
	equal := func(field, value string) {
		if value != "" {
			list = append(list, field+` = "`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)+`"`)
		}
	}
	if q.Visibility != candor.StaffOnly {
		equal("visibility", string(candor.Public))
	}
	equal("kind", string(q.Kind))
	equal("state", string(q.State))
	equal("source_id", q.SourceID)
	equal("language", q.Language)
	from, to, err := span(q)
	if err != nil {
		return nil, err
	}
	if !from.IsZero() {
		list = append(list, fmt.Sprintf("t >= %d", from.UnixMicro()))
	}
	if !to.IsZero() {
		list = append(list, fmt.Sprintf("t < %d", to.UnixMicro()))
	}
	return list, nil
}
