package crawler

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/schedule"
	"github.com/candor-archive/candor/crawler/transport"
)

// Store is what the crawler needs of the archive.
type Store interface {
	Source(ctx context.Context, id string) (candor.Source, error)
	// Token gives the source's access token, "" when it has none.
	Token(ctx context.Context, sourceID string) (string, error)
	// SourceState gives what the last Sweep left in State, nil at first.
	SourceState(ctx context.Context, sourceID string) ([]byte, error)
	DueSources(ctx context.Context, now time.Time, limit int) ([]candor.Source, error)
	// Known finds records by UID; those not known are not in the map.
	Known(ctx context.Context, sourceID string, uids []string) (map[string]candor.Known, error)
	// KnownUnseen gives live, edited and hidden records last seen before
	// since, oldest first.
	KnownUnseen(ctx context.Context, sourceID string, since time.Time, limit int) ([]candor.Known, error)
	// PutObject keeps bytes; they are durable when it returns.
	PutObject(ctx context.Context, r io.Reader) (sha string, size int64, err error)
	// ApplySweep writes all of a sweep or nothing.
	ApplySweep(ctx context.Context, s candor.Sweep) error
}

// Queue takes polls to be done. A source that is already queued or being
// polled is not queued again.
type Queue interface {
	// It gives those it took: a source being polled just now is to be asked for
	// again.
	EnqueuePolls(ctx context.Context, sourceIDs ...string) (taken []string, err error)
}

// Config joins a Crawler to its surroundings. Store and HTTP are required;
// Queue is needed by Tick and Run.
type Config struct {
	Store     Store
	Queue     Queue
	HTTP      *http.Client     // built on the net guard; only its Transport is used
	Transport transport.Config // budget and limits; its HTTP, Now and Random are filled from here
	Schedule  schedule.Policy  // how often what is looked at; the zero value means schedule.Default
	Interval  time.Duration    // between two looks at what is due; 0 means 5 s
	MaxPages  int              // website pages fetched in one poll; 0 means 300
	Now       func() time.Time
	Random    func() float64 // from 0 to 1, for jitter
	Log       *slog.Logger
}

// Crawler polls sources.
type Crawler struct {
	cfg   Config
	fetch *transport.Client

	mu    sync.Mutex
	busy  map[string]*sync.Mutex
	asked map[string]asked // polls that were queued, by source; used by one goroutine
}

// asked is a poll that was queued and is not known to be over.
type asked struct {
	due time.Time // when the source was due; it is due at another time once the poll is over
	at  time.Time
}

// New makes a Crawler.
func New(cfg Config) *Crawler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Schedule.Version == 0 {
		cfg.Schedule = schedule.Default()
	}
	if cfg.Interval == 0 {
		cfg.Interval = 5 * time.Second
	}
	if cfg.MaxPages == 0 {
		cfg.MaxPages = 300
	}
	t := cfg.Transport
	t.HTTP, t.Now, t.Random = cfg.HTTP, cfg.Now, cfg.Random
	return &Crawler{cfg: cfg, fetch: transport.New(t), busy: map[string]*sync.Mutex{}, asked: map[string]asked{}}
}

// dueAtOnce bounds how many polls one tick queues; the rest is still due at
// the next.
const dueAtOnce = 100

// askAgain is how long a queued poll that does not come about is left alone.
const askAgain = 20 * time.Minute

// Tick queues a poll of every source that is due, once. It is for one
// goroutine.
func (c *Crawler) Tick(ctx context.Context) error {
	due, err := c.cfg.Store.DueSources(ctx, candor.Moment(c.cfg.Now()), dueAtOnce)
	if err != nil {
		return fmt.Errorf("find sources that are due: %w", err)
	}
	now := c.cfg.Now()
	waiting := make(map[string]asked, len(due))
	var ids []string
	for _, s := range due {
		last, ok := c.asked[s.ID]
		if !ok || !last.due.Equal(s.NextPollAt) || now.Sub(last.at) > askAgain {
			last = asked{s.NextPollAt, now}
			ids = append(ids, s.ID)
		}
		waiting[s.ID] = last
	}
	if len(ids) == 0 {
		return nil
	}
	taken, err := c.cfg.Queue.EnqueuePolls(ctx, ids...)
	if err != nil {
		return fmt.Errorf("queue polls of %d sources: %w", len(ids), err)
	}
	for _, id := range ids {
		if !slices.Contains(taken, id) {
			delete(waiting, id)
		}
	}
	c.asked = waiting // what is no longer due needs no memory
	return nil
}

// Run ticks until the context ends. Trouble is logged and tried again at the
// next tick.
func (c *Crawler) Run(ctx context.Context) error {
	ticker := time.NewTicker(c.cfg.Interval)
	defer ticker.Stop()
	for {
		if err := c.Tick(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Log.Error("crawler tick", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Poll reads one source once and applies what it learnt. Trouble with the
// source is written to the source and is no error here; an error means that
// nothing was applied and that the poll should be tried again.
func (c *Crawler) Poll(ctx context.Context, sourceID string) error {
	defer c.alone(sourceID)()
	src, err := c.cfg.Store.Source(ctx, sourceID)
	switch {
	case candor.IsKind(err, candor.NotFound):
		c.cfg.Log.Info("poll of a source that is no longer there", "source", sourceID)
		return nil
	case err != nil:
		return fmt.Errorf("poll source %s: %w", sourceID, err)
	case src.Paused:
		return nil
	}
	p, err := c.begin(ctx, src)
	if err != nil {
		return fmt.Errorf("poll source %s: %w", sourceID, err)
	}
	trouble, err := p.read(ctx)
	if err != nil {
		return fmt.Errorf("poll source %s: %w", sourceID, err)
	}
	sweep, err := p.sweep(trouble)
	if err != nil {
		return fmt.Errorf("poll source %s: %w", sourceID, err)
	}
	if err := c.cfg.Store.ApplySweep(ctx, sweep); err != nil {
		return fmt.Errorf("poll source %s: apply what was found: %w", sourceID, err)
	}
	c.cfg.Log.Info("polled", "source", sourceID, "kind", src.Kind, "answers", len(sweep.Answers), "changes", len(sweep.Changes),
		"seen", len(sweep.Seen), "captures", len(sweep.Captures), "next", sweep.NextAt, "trouble", sweep.Error)
	return nil
}

// alone keeps two polls of one source in this process apart; the second would
// otherwise meet the first one's records only when it tries to apply its own.
func (c *Crawler) alone(sourceID string) (release func()) {
	c.mu.Lock()
	m := c.busy[sourceID]
	if m == nil {
		m = &sync.Mutex{}
		c.busy[sourceID] = m
	}
	c.mu.Unlock()
	m.Lock()
	return m.Unlock
}
