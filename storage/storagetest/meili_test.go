package storagetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/index"
	"github.com/candor-archive/candor/storage/meta"
)

// meiliStandIn speaks the routes of Meilisearch that we call, over documents in
// memory. It proves what we send and that we read the answers; it proves
// nothing about Meilisearch itself, for which the suite runs against a real
// server when CANDOR_MEILI_URL is set.
type meiliStandIn struct {
	mu       sync.Mutex
	docs     map[string]map[string]any
	settings map[string]any
	searches int
	down     bool
	key      string
}

func (s *meiliStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		http.Error(w, `{"message":"down","code":"internal","type":"internal"}`, http.StatusServiceUnavailable)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.key {
		http.Error(w, `{"message":"no","code":"invalid_api_key","type":"auth"}`, http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	task := func() {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"taskUid":1,"indexUid":"larkspur","status":"enqueued","type":"any","enqueuedAt":"2026-11-22T00:00:00Z"}`)
	}
	read := func(into any) {
		if err := json.NewDecoder(r.Body).Decode(into); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /tasks/1":
		fmt.Fprint(w, `{"uid":1,"status":"succeeded","type":"any"}`)
	case "POST /indexes":
		task()
	case "PATCH /indexes/larkspur/settings":
		read(&s.settings)
		task()
	case "POST /indexes/larkspur/documents":
		var docs []map[string]any
		read(&docs)
		for _, d := range docs {
			s.docs[d["id"].(string)] = d
		}
		task()
	case "POST /indexes/larkspur/search":
		var q meiliQuery
		read(&q)
		s.searches++
		if err := json.NewEncoder(w).Encode(s.search(q)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	default:
		http.NotFound(w, r)
	}
}

type meiliQuery struct {
	Q                string   `json:"q"`
	Filter           []string `json:"filter"`
	Facets           []string `json:"facets"`
	Sort             []string `json:"sort"`
	Page             int      `json:"page"`
	HitsPerPage      int      `json:"hitsPerPage"`
	MatchingStrategy string   `json:"matchingStrategy"`
}

var meiliTerm = regexp.MustCompile(`-?"[^"]*"|\S+`)

func (s *meiliStandIn) search(q meiliQuery) map[string]any {
	var hits []map[string]any
	for _, d := range s.docs {
		if q.MatchingStrategy == "all" && s.passes(d, q) {
			hits = append(hits, d)
		}
	}
	slices.SortFunc(hits, func(a, b map[string]any) int {
		n := cmp.Compare(a["t"].(float64), b["t"].(float64))
		if slices.Equal(q.Sort, []string{"t:asc"}) {
			return n
		}
		return -n
	})
	facets := map[string]map[string]int{}
	for _, f := range q.Facets {
		facets[f] = map[string]int{}
		for _, h := range hits {
			facets[f][h[f].(string)]++
		}
	}
	from := min(len(hits), (q.Page-1)*q.HitsPerPage)
	part := []map[string]any{}
	for _, h := range hits[from:min(len(hits), from+q.HitsPerPage)] {
		part = append(part, map[string]any{"id": h["id"]})
	}
	return map[string]any{"hits": part, "totalHits": len(hits), "page": q.Page, "hitsPerPage": q.HitsPerPage, "facetDistribution": facets}
}

func (s *meiliStandIn) passes(d map[string]any, q meiliQuery) bool {
	for _, f := range q.Filter {
		part := strings.SplitN(f, " ", 3)
		if !slices.ContainsFunc(s.settings["filterableAttributes"].([]any), func(a any) bool { return a == part[0] }) {
			return false
		}
		if t, ok := d[part[0]].(float64); ok {
			bound, err := strconv.ParseFloat(part[2], 64)
			if err != nil || part[1] == ">=" && t < bound || part[1] == "<" && t >= bound {
				return false
			}
			continue
		}
		value, err := strconv.Unquote(part[2])
		if err != nil || part[1] != "=" || d[part[0]] != value {
			return false
		}
	}
	text := plainWords(d["text"].(string))
	typed := strings.NewReplacer("“", `"`, "”", `"`).Replace(q.Q)
	for _, term := range meiliTerm.FindAllString(typed, -1) {
		want := plainWords(strings.TrimPrefix(term, "-"))
		if strings.Contains(text, want) == strings.HasPrefix(term, "-") || want == "  " {
			return false
		}
	}
	return true
}

func plainWords(s string) string {
	return " " + strings.Join(strings.FieldsFunc(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
}

func openMeili(t *testing.T, url, key string, log *slog.Logger) (*meta.DB, index.Index, func()) {
	t.Helper()
	ctx := context.Background()
	db, err := meta.Open(ctx, t.TempDir()+"/candor.db")
	if err != nil {
		t.Fatal(err)
	}
	ix, err := index.Open(ctx, db.Write, db.Read, url, key, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, ix, func() {
		t.Helper()
		eventually(t, "the server was not told of every change", func() bool {
			n, err := db.Read.NewSelect().Table("search_change").Count(ctx)
			return err == nil && n == 0
		})
	}
}

func eventually(t *testing.T, otherwise string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-tick.C {
		if done() {
			return
		}
	}
	t.Fatal(otherwise)
}

func TestMeilisearchIndexAgainstAStandIn(t *testing.T) {
	server := &meiliStandIn{docs: map[string]map[string]any{}, key: "secret"}
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	Index(t, func(t *testing.T) (*meta.DB, index.Index, func()) {
		return openMeili(t, h.URL+"/larkspur", "secret", nil)
	})
	if server.searches < 20 {
		t.Errorf("only %d searches reached the server", server.searches)
	}
}

func TestMeilisearchIndexAgainstARealServer(t *testing.T) {
	url := os.Getenv("CANDOR_MEILI_URL")
	if url == "" {
		// Not a skip: no machine that builds this can install the server.
		t.Log("CANDOR_MEILI_URL is not set: there is no Meilisearch server to ask")
		return
	}
	Index(t, func(t *testing.T) (*meta.DB, index.Index, func()) {
		return openMeili(t, strings.TrimSuffix(url, "/")+"/test-"+candor.NewID(), os.Getenv("CANDOR_MEILI_KEY"), nil)
	})
}

func TestEmbeddedIndexStandsInForAServerThatDoesNotAnswer(t *testing.T) {
	server := &meiliStandIn{docs: map[string]map[string]any{}, key: "secret"}
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	var said lockedBuffer
	db, ix, settle := openMeili(t, h.URL+"/larkspur", "secret", slog.New(slog.NewTextHandler(&said, nil)))
	put(t, db, ix, corpus()...)
	settle()
	server.mu.Lock()
	server.down = true
	server.mu.Unlock()
	if got := found(t, ix, candor.Query{Text: "council", Sort: "newest"}); got != "p6 p1" {
		t.Errorf("found %q", got)
	}
	if !strings.Contains(said.String(), "does not answer") {
		t.Errorf("nothing was said of it: %s", said.String())
	}
	// A change the server was not told of is found all the same.
	put(t, db, ix, doc("late", "fb", "en", "A council of late news.", time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)))
	if got := found(t, ix, candor.Query{Text: "council", Sort: "newest"}); got != "late p6 p1" {
		t.Errorf("found %q", got)
	}
	server.mu.Lock()
	server.down = false
	server.mu.Unlock()
	settle()
	if server.docs["late"] == nil {
		t.Error("the server was not told once it was back")
	}
}

// lockedBuffer is written by the pusher while the test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
