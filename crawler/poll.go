package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/discover"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// memory is what a poll leaves for the next one. Everything in it can be lost
// without harm: a lost suspicion is found again, one poll later.
type memory struct {
	Version  int                  `json:"v"`
	Fails    int                  `json:"fails,omitempty"` // polls in a row that stopped short
	Suspects map[string]suspicion `json:"suspects,omitempty"`
	Account  *accountMemory       `json:"account,omitempty"`
	Website  *discover.Memory     `json:"website,omitempty"`
}

const memoryVersion = 2

// poll is one reading of one source.
type poll struct {
	c       *Crawler
	store   Store
	src     candor.Source
	token   string
	at      time.Time
	memory  memory
	visit   *transport.Visit
	ledger  *ledger
	account *candor.Account
	slower  bool // the platform's allowance is nearly used up
	left    int  // threads whose turn it was and that were not read
	gaps    []candor.CoverageGap
	cost    int64 // in millionths of a US dollar
}

// trouble is why a poll stopped short, and how long to stay away at least.
type trouble struct {
	err   error
	after time.Duration
}

func (c *Crawler) begin(ctx context.Context, src candor.Source) (*poll, error) {
	token, err := c.cfg.Store.Token(ctx, src.ID)
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	state, err := c.cfg.Store.SourceState(ctx, src.ID)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	p := &poll{
		c: c, store: c.cfg.Store, src: src, token: token, at: candor.Moment(c.cfg.Now()),
		visit: c.fetch.Visit(src.ID, token),
	}
	if len(state) > 0 {
		if err := json.Unmarshal(state, &p.memory); err != nil || p.memory.Version != memoryVersion {
			c.cfg.Log.Warn("the crawler's memory of a source is not readable; it starts anew", "source", src.ID, "error", err)
			p.memory = memory{}
		}
	}
	p.memory.Version = memoryVersion
	if p.memory.Suspects == nil {
		p.memory.Suspects = map[string]suspicion{}
	}
	p.ledger = newLedger(src, p.at)
	return p, nil
}

// read reads the source by its kind. The error is for what concerns us alone
// (the store, a stop); everything the outside does wrong is trouble.
func (p *poll) read(ctx context.Context) (*trouble, error) {
	var t *trouble
	var err error
	switch p.src.Kind {
	case candor.SourceWebsite:
		t, err = p.website(ctx)
	case candor.SourcePage:
		t, err = p.page(ctx)
	default:
		t, err = p.platform(ctx)
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err() // what looks like trouble may only be our own stop
	}
	return t, err
}

// know fetches what the archive holds of sighted items and what they hang on.
func (p *poll) know(ctx context.Context, items []sighting.Item) error {
	var uids []string
	asked := map[string]bool{"": true}
	for _, it := range items {
		for _, uid := range []string{it.UID, it.RootUID, it.ParentUID} {
			if _, have := p.ledger.byUID[uid]; !asked[uid] && !have {
				asked[uid] = true
				uids = append(uids, uid)
			}
		}
	}
	for len(uids) > 0 {
		n := min(len(uids), 500) // both databases limit the parameters of a statement
		known, err := p.store.Known(ctx, p.src.ID, uids[:n])
		if err != nil {
			return fmt.Errorf("find known records: %w", err)
		}
		for _, k := range known {
			p.ledger.learn(k)
		}
		uids = uids[n:]
	}
	return nil
}

// sweep puts together everything that was learnt.
func (p *poll) sweep(t *trouble) (candor.Sweep, error) {
	s := candor.Sweep{
		SourceID: p.src.ID, Account: p.account, Answers: p.visit.Answers(), Changes: p.ledger.changes, Seen: p.ledger.seen,
		Captures: p.ledger.specs(), At: p.at, Gaps: p.gaps, Cost: p.cost,
	}
	every := p.src.Every
	if every <= 0 {
		every = 15 * time.Minute
	}
	if t == nil {
		p.memory.Fails = 0
		if p.slower {
			every *= 2
		} else if p.left > 0 {
			every = min(every, soon)
		}
		s.NextAt = candor.Moment(p.at.Add(every + time.Duration(p.c.cfg.Random()*0.05*float64(every))))
	} else {
		p.memory.Fails++
		s.Error = t.err.Error()
		s.Gaps = append(s.Gaps, candor.CoverageGap{Reason: reason(t.err), Detail: s.Error})
		wait := max(backOff(every, p.memory.Fails, p.c.cfg.Random()), t.after)
		s.NextAt = candor.Moment(p.c.cfg.Now().Add(wait))
	}
	var err error
	if s.State, err = json.Marshal(p.memory); err != nil {
		return candor.Sweep{}, fmt.Errorf("write memory: %w", err)
	}
	return s, nil
}

// reason sorts trouble for the account of what was missed.
func reason(err error) candor.GapReason {
	var e *connector.Error
	if errors.As(err, &e) {
		switch e.Class {
		case connector.Throttled:
			return candor.GapThrottled
		case connector.BadToken:
			return candor.GapToken
		case connector.Permission, connector.Vanished:
			return candor.GapAccess
		}
	}
	return candor.GapPlatform
}

// longestBackOff is how rarely a failing source is still tried.
const longestBackOff = 12 * time.Hour

// backOff doubles the interval with each failure in a row and spreads it by a
// quarter to both sides, so that sources that failed together do not come back
// together. It is never shorter than the interval.
func backOff(every time.Duration, fails int, random float64) time.Duration {
	wait := every
	for range min(fails, 20) {
		wait *= 2
		if wait >= longestBackOff {
			wait = longestBackOff
			break
		}
	}
	wait = time.Duration(float64(wait) * (0.75 + 0.5*random))
	return max(wait, every)
}
