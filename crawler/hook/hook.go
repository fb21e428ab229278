package hook

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/candor-archive/candor"
)

const (
	// Prefix begins the address of every source's hook; the source's id follows.
	Prefix = "/hooks/"
	// MaxBody is how large a notice may be, in bytes.
	MaxBody = 1 << 20

	pollEvery   = 30 * time.Second // between two polls of one source asked for by hints
	replayed    = 10 * time.Minute // how long the same notice counts as the same
	remembered  = 1024             // notices, the newest
	fresh       = 10 * time.Second // how long what the store said is used again
	freshError  = time.Second      // the same for its failures
	atOnce      = 32               // requests; more are sent away
	readWithin  = 10 * time.Second
	queueWithin = 10 * time.Second
)

// Config joins the hooks to their surroundings. Sources, Secret and Poll are
// required.
type Config struct {
	Sources func(ctx context.Context) ([]candor.Source, error)
	// Secret gives what a source shares with its platform for signing: Meta's app
	// secret, X's consumer secret, the word given to a WebSub hub or a Mastodon
	// server. Empty when the source has no hook.
	Secret func(ctx context.Context, sourceID string) (string, error)
	// Account gives the platform's id of a source's account, empty when it is not
	// known yet. Without it every notice concerns the source it was sent to.
	Account func(ctx context.Context, sourceID string) (string, error)
	// Poll queues a poll of a source.
	Poll  func(ctx context.Context, sourceID string) error
	Now   func() time.Time
	After func(d time.Duration, f func()) // does f later, on another goroutine; nil means time.AfterFunc
	Log   *slog.Logger                    // nil means none
}

// handler serves the hooks of all sources.
type handler struct {
	cfg   Config
	slots chan struct{}
	decoy *source // stands in for sources without a hook

	table   sync.Mutex // guards what follows
	sources []*source
	byID    map[string]*source
	loaded  time.Time
	failure error

	mu      sync.Mutex // guards what follows
	seen    map[[32]byte]time.Time
	ring    [remembered][32]byte // of what is in seen, oldest at next
	next    int
	last    map[string]time.Time // when a source's poll was last queued
	waiting map[string]bool      // a later poll of a source is arranged
}

// source is a source with what the store said of it.
type source struct {
	id              string
	kind            candor.SourceKind
	secret, account string
	read            bool // secret and account are
}

// New serves /hooks/{source id}. Whatever is refused is answered 404 in the same
// words: an unknown source, one without a secret, a wrong signature, a request
// of another sort. A notice that counts is answered 200 when the poll is queued,
// and 503 when it could not be, so that the platform sends it again.
func New(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Account == nil {
		cfg.Account = func(context.Context, string) (string, error) { return "", nil }
	}
	return &handler{
		cfg: cfg, slots: make(chan struct{}, atOnce), decoy: &source{kind: candor.SourceFacebook, secret: candor.NewSecret(), read: true},
		seen: map[[32]byte]time.Time{}, last: map[string]time.Time{}, waiting: map[string]bool{},
	}
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		busy(w)
		return
	}
	id, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodPost {
		none(w)
		return
	}
	src, err := h.source(r.Context(), id)
	if err != nil {
		h.cfg.Log.Error("webhook: read sources", "error", err)
		busy(w)
		return
	}
	// A client that sends slowly must not keep a slot. A server that cannot do
	// this has a time limit of its own.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWithin))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		none(w)
		return
	}
	req := Request{
		Kind: src.kind, Secret: src.secret, Account: src.account, Method: r.Method, Header: r.Header, Query: r.URL.RawQuery, Body: body,
	}
	v := Read(req)
	switch {
	case v.Refused:
		none(w)
	case v.Challenge != nil:
		w.Header().Set("Content-Type", v.MediaType)
		w.Write(v.Challenge) // a client that hung up is no concern of ours
	default:
		// The platform may hang up as soon as it has sent: the poll is queued anyway.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), queueWithin)
		defer cancel()
		concerned, err := h.concerned(ctx, src, req, v)
		if err == nil {
			err = h.hint(ctx, sha256.Sum256(append([]byte(src.id+"\n"), body...)), concerned)
		}
		if err != nil {
			h.cfg.Log.Error("webhook: queue poll", "source", src.id, "error", err)
			busy(w)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}

func none(w http.ResponseWriter) { http.Error(w, "not found", http.StatusNotFound) }

func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	http.Error(w, "try again later", http.StatusServiceUnavailable)
}

// source gives a source that has a hook. For any other it gives one that
// nobody knows the secret of, so that a stranger who guesses ids learns nothing
// from what is read or how long it takes. The store is asked anew only now and
// then, whatever comes in: a source just added has a hook within seconds.
func (h *handler) source(ctx context.Context, id string) (*source, error) {
	h.table.Lock()
	defer h.table.Unlock()
	if err := h.load(ctx); err != nil {
		return nil, err
	}
	s := h.byID[id]
	if s == nil {
		return h.decoy, nil
	}
	if err := h.complete(ctx, s); err != nil {
		return nil, err
	}
	if s.secret == "" {
		return h.decoy, nil
	}
	return s, nil
}

func (h *handler) load(ctx context.Context) error {
	now := h.cfg.Now()
	age, keep := now.Sub(h.loaded), fresh
	if h.failure != nil {
		keep = freshError
	}
	if !h.loaded.IsZero() && age >= 0 && age < keep {
		return h.failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueWithin)
	defer cancel()
	list, err := h.cfg.Sources(ctx)
	h.loaded, h.failure = now, err
	if err != nil {
		return err
	}
	h.sources, h.byID = nil, map[string]*source{}
	for _, s := range list {
		if !Supports(s.Kind) {
			continue
		}
		x := &source{id: s.ID, kind: s.Kind}
		h.sources = append(h.sources, x)
		h.byID[s.ID] = x
	}
	return nil
}

// complete reads a source's secret and account.
func (h *handler) complete(ctx context.Context, s *source) error {
	if s.read {
		return nil
	}
	secret, err := h.cfg.Secret(ctx, s.id)
	if err != nil {
		return fmt.Errorf("read secret of source %s: %w", s.id, err)
	}
	account, err := h.cfg.Account(ctx, s.id)
	if err != nil {
		return fmt.Errorf("read account of source %s: %w", s.id, err)
	}
	s.secret, s.account, s.read = secret, account, true
	return nil
}

// concerned gives the sources that a notice is about. An app has one address for
// all its accounts, so a notice that came to one source may concern others of
// its platform: they count when its signature is right by their own secret, too.
// A notice about accounts nobody here knows concerns the source it came to,
// since platforms have several ids for one account; but a Mastodon server
// tells of every account on it.
func (h *handler) concerned(ctx context.Context, to *source, req Request, v Verdict) ([]string, error) {
	if v.All {
		return []string{to.id}, nil
	}
	named := map[string]bool{}
	for _, id := range v.Accounts {
		named[id] = true
	}
	h.table.Lock()
	defer h.table.Unlock()
	var out []string
	for _, s := range h.sources {
		if s.kind != to.kind {
			continue
		}
		if err := h.complete(ctx, s); err != nil {
			return nil, err
		}
		if s.account == "" || !named[s.account] {
			continue
		}
		req.Secret = s.secret
		if s.id == to.id || !Read(req).Refused {
			out = append(out, s.id)
		}
	}
	if len(out) == 0 && (to.kind != candor.SourceMastodon || to.account == "") {
		out = append(out, to.id)
	}
	return out, nil
}

// hint has sources polled soon. The same notice again does nothing. A source
// whose poll was queued a moment ago is polled once more when the interval is
// over: what is told now may have happened after that poll.
func (h *handler) hint(ctx context.Context, key [32]byte, ids []string) error {
	now := h.cfg.Now()
	h.mu.Lock()
	if age := now.Sub(h.seen[key]); age >= 0 && age < replayed {
		h.mu.Unlock()
		return nil
	}
	h.remember(key, now)
	var due []string
	for _, id := range ids {
		age := now.Sub(h.last[id])
		switch {
		case age < 0 || age >= pollEvery:
			h.last[id] = now
			due = append(due, id)
		case !h.waiting[id]:
			h.waiting[id] = true
			h.cfg.After(pollEvery-age, func() { h.later(id) })
		}
	}
	h.mu.Unlock()
	for i, id := range due {
		if err := h.cfg.Poll(ctx, id); err != nil {
			h.mu.Lock()
			delete(h.seen, key) // it will be sent again
			for _, id := range due[i:] {
				delete(h.last, id)
			}
			h.mu.Unlock()
			return fmt.Errorf("queue poll of source %s: %w", id, err)
		}
	}
	return nil
}

// remember notes a notice and forgets the oldest. Only rightly signed ones come
// here, so a stranger cannot push others out.
func (h *handler) remember(key [32]byte, now time.Time) {
	if _, again := h.seen[key]; !again {
		delete(h.seen, h.ring[h.next])
		h.ring[h.next] = key
		h.next = (h.next + 1) % remembered
	}
	h.seen[key] = now
}

func (h *handler) later(id string) {
	h.mu.Lock()
	delete(h.waiting, id)
	h.last[id] = h.cfg.Now()
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), queueWithin)
	defer cancel()
	if err := h.cfg.Poll(ctx, id); err != nil {
		// The schedule polls it anyway.
		h.cfg.Log.Error("webhook: queue poll", "source", id, "error", err)
	}
}
