package crawler

import (
	"context"
	"fmt"
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/discover"
	"github.com/candor-archive/candor/crawler/scope"
	"github.com/candor-archive/candor/crawler/sighting"
	"github.com/candor-archive/candor/crawler/transport"
)

// website walks a site and compares each page's words with the newest we hold.
func (p *poll) website(ctx context.Context) (*trouble, error) {
	if p.memory.Website == nil {
		p.memory.Website = &discover.Memory{}
	}
	res, err := discover.Run(ctx, discover.Config{
		Visit: p.visit, Objects: p.store, Start: p.src.URL, MaxPages: p.c.cfg.MaxPages, MaxBody: bodyLimit(p.c.cfg.Transport), Now: p.at,
	}, p.memory.Website, p.webpage)
	if err != nil {
		return nil, err
	}
	p.ledger.clear(p.memory.Suspects)
	if len(res.Refused) > 0 || res.Left > 0 {
		p.c.cfg.Log.Debug("addresses left out", "source", p.src.ID, "refused", len(res.Refused), "next_time", res.Left)
	}
	if res.Trouble != nil {
		return &trouble{err: res.Trouble}, nil
	}
	return nil, p.vanished(ctx, res)
}

// webpage takes one page of a site.
func (p *poll) webpage(ctx context.Context, page discover.Page) error {
	it := sighting.Item{
		UID: page.URL, RootUID: page.URL, Kind: candor.Page, URL: page.URL, Text: page.Text, Language: spoken(page.Language),
		ByAgency: true, PostedAt: page.Posted, AnswerSHA: page.Reply.Answer.SHA, How: sighting.Direct,
	}
	if err := p.know(ctx, []sighting.Item{it}); err != nil {
		return err
	}
	k, have := p.ledger.byUID[it.UID]
	if page.Unchanged {
		if have {
			p.ledger.unchanged(k)
		} else {
			// It says "unchanged" of something the archive does not hold: ask for the
			// whole page next time.
			memo := p.memory.Website.Pages[page.URL]
			memo.ETag, memo.Modified = "", ""
		}
		return nil
	}
	// Bytes are kept when the words changed; a page that differs only in a
	// number made anew for each visitor would otherwise grow the archive with
	// every poll.
	if !have || k.Record.Revisions == 0 || candor.HashContent(it.Text, nil) != k.ContentHash {
		if err := p.visit.Keep(ctx, p.store, page.Reply); err != nil {
			return err
		}
	}
	p.ledger.sight(it)
	return nil
}

// vanished weighs known pages that answered 404 or 410 while the home page
// answered as usual.
func (p *poll) vanished(ctx context.Context, res discover.Result) error {
	if !res.HomeAlive || len(res.Gone) == 0 {
		return nil
	}
	var items []sighting.Item
	for _, g := range res.Gone {
		items = append(items, sighting.Item{UID: g.URL})
	}
	if err := p.know(ctx, items); err != nil {
		return err
	}
	for _, g := range res.Gone {
		k, have := p.ledger.byUID[g.URL]
		switch {
		case !have:
			p.memory.Website.Forget(g.URL) // a link that never led anywhere
			continue
		case k.Record.State == candor.Deleted || p.ledger.touched[k.Record.ID]:
			continue
		}
		if err := p.visit.Keep(ctx, p.store, g.Reply); err != nil {
			return err
		}
		status := g.Reply.Answer.Status
		p.ledger.missed(p.memory.Suspects, k, finding{
			answerSHA: g.Reply.Answer.SHA, witness: p.src.URL,
			said: fmt.Sprintf("the server answered %d (%s)", status, http.StatusText(status)),
		})
	}
	return nil
}

// page reads a source that is one address. Its words come from a plain fetch,
// its look from a browser; when the fetch is refused the browser still goes,
// because many sites answer people and not programs.
func (p *poll) page(ctx context.Context) (*trouble, error) {
	rules, err := scope.New(p.src.URL, 0)
	if err != nil {
		return &trouble{err: err}, nil
	}
	address := rules.Start.String()
	it := sighting.Item{UID: address, RootUID: address, Kind: candor.Page, URL: p.src.URL, ByAgency: true, How: sighting.Direct}
	if err := p.know(ctx, []sighting.Item{it}); err != nil {
		return nil, err
	}
	page, fault := p.fetchPage(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	k, have := p.ledger.byUID[address]
	if fault == nil {
		it.Text, it.Language, it.AnswerSHA = page.Text, spoken(page.Language), page.Reply.Answer.SHA
		if !have || k.Record.Revisions == 0 || candor.HashContent(it.Text, nil) != k.ContentHash {
			if err := p.visit.Keep(ctx, p.store, page.Reply); err != nil {
				return nil, err
			}
		}
		p.ledger.sight(it)
	} else if !have {
		p.ledger.unworded(it)
	}
	p.ledger.capture(p.ledger.byUID[address].Record, whyProof)
	if fault != nil {
		return &trouble{err: fmt.Errorf("read %s: %w", p.src.URL, fault)}, nil
	}
	return nil, nil
}

func (p *poll) fetchPage(ctx context.Context) (discover.Page, error) {
	reply, err := p.visit.Fetch(ctx, p.src.URL)
	if err != nil {
		return discover.Page{}, err
	}
	if reply.Answer.Status != http.StatusOK {
		return discover.Page{}, candor.Errorf(candor.Unavailable, "the server answered %d", reply.Answer.Status)
	}
	return discover.Read(reply)
}

// spoken keeps what a page says of its language to the languages we know.
func spoken(lang string) string {
	if lang == "en" || lang == "es" {
		return lang
	}
	return ""
}

// bodyLimit is where colly cuts bodies: where the transport already did.
func bodyLimit(t transport.Config) int {
	if t.MaxBody == 0 {
		return transport.DefaultMaxBody
	}
	return int(t.MaxBody)
}
