package discover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/candor-archive/candor/crawler/scope"
)

const (
	maxSitemaps   = 50                 // read in one run
	seekFeedAfter = 7 * 24 * time.Hour // until the usual places are tried again
)

// usualFeeds are where a site's feed is when its pages do not say.
var usualFeeds = []string{"/feed/", "/rss.xml", "/feed.xml", "/atom.xml"}

// listings reads robots.txt (which colly fetched), the sitemaps and the feed.
// Whatever cannot be read is noted and left: links lead to pages as well.
func (r *run) listings(ctx context.Context) error {
	maps, err := r.robotsTxt(ctx)
	if err != nil {
		return err
	}
	if len(maps) == 0 {
		maps = []string{r.at("/sitemap.xml")}
	}
	seen := map[string]bool{}
	for len(maps) > 0 && len(seen) < maxSitemaps {
		address := maps[0]
		maps = maps[1:]
		if seen[address] {
			continue
		}
		seen[address] = true
		body, err := r.listing(ctx, address)
		if err != nil {
			return err
		}
		if body == nil {
			continue
		}
		pages, children, err := parseSitemap(body)
		if err != nil {
			r.result.Refused[address] = err.Error()
			continue
		}
		r.named(pages)
		for _, child := range children {
			if u, err := url.Parse(child); err == nil && r.rules.SameHost(u) {
				maps = append(maps, r.rules.Settle(u).String())
			} else {
				r.result.Refused[child] = string(scope.OtherHost)
			}
		}
	}
	return r.feed(ctx)
}

func (r *run) feed(ctx context.Context) error {
	if r.memory.Feed != "" {
		_, err := r.readFeed(ctx, r.memory.Feed)
		return err
	}
	if r.cfg.Now.Sub(r.memory.Sought) < seekFeedAfter {
		return nil
	}
	r.memory.Sought = r.cfg.Now
	for _, place := range usualFeeds {
		ok, err := r.readFeed(ctx, r.at(place))
		if err != nil {
			return err
		}
		if ok {
			r.memory.Feed = r.at(place)
			return nil
		}
	}
	return nil
}

func (r *run) readFeed(ctx context.Context, address string) (bool, error) {
	body, err := r.listing(ctx, address)
	if err != nil || body == nil {
		return false, err
	}
	entries, err := parseFeed(body)
	if err != nil {
		r.result.Refused[address] = err.Error()
		return false, nil
	}
	r.named(entries)
	return true, nil
}

// named notes the pages a listing names.
func (r *run) named(entries []entry) {
	for _, e := range entries {
		u, reason := r.rules.Link(r.rules.Start, e.address, 1)
		if reason != scope.In {
			r.result.Refused[e.address] = string(reason)
			continue
		}
		if !r.memory.found(u.String(), 1, e.posted) {
			r.result.Refused[u.String()] = "more pages than one source may have"
		}
	}
}

// listing fetches a feed or sitemap. Nil bytes: not there, or as it was.
func (r *run) listing(ctx context.Context, address string) ([]byte, error) {
	memo := r.memory.Listings[address]
	if memo == nil {
		if len(r.memory.Listings) > 2*maxSitemaps {
			clear(r.memory.Listings) // they are read again whole, no more
		}
		memo = &Memo{}
		r.memory.Listings[address] = memo
	}
	memo.Checked = r.cfg.Now
	a, err := r.fetch(ctx, address)
	switch {
	case err != nil:
		return nil, err
	case a.err != nil:
		if !errors.Is(a.err, colly.ErrRobotsTxtBlocked) {
			r.failed++
		}
		r.result.Refused[address] = a.err.Error()
		return nil, nil
	case a.reply.Answer.Status == http.StatusNotModified:
		return nil, nil
	case a.reply.Answer.Status != http.StatusOK:
		memo.ETag, memo.Modified = "", ""
		r.result.Refused[address] = fmt.Sprintf("the server answered %d", a.reply.Answer.Status)
		return nil, nil
	}
	r.failed = 0
	memo.ETag, memo.Modified = a.reply.Header.Get("ETag"), a.reply.Header.Get("Last-Modified")
	if memo.SHA != a.reply.Answer.SHA {
		if err := r.cfg.Visit.Keep(ctx, r.cfg.Objects, a.reply); err != nil {
			return nil, err
		}
		memo.SHA = a.reply.Answer.SHA
	}
	return a.reply.Body, nil
}

// robotsTxt keeps what colly was told and gives the sitemaps it names.
func (r *run) robotsTxt(ctx context.Context) ([]string, error) {
	if r.robots == nil || r.robots.Answer.Status != http.StatusOK {
		return nil, nil
	}
	address := r.robots.Answer.URL
	memo := r.memory.Listings[address]
	if memo == nil {
		memo = &Memo{}
		r.memory.Listings[address] = memo
	}
	memo.Checked = r.cfg.Now
	if memo.SHA != r.robots.Answer.SHA {
		if err := r.cfg.Visit.Keep(ctx, r.cfg.Objects, r.robots); err != nil {
			return nil, err
		}
		memo.SHA = r.robots.Answer.SHA
	}
	var out []string
	for _, line := range sitemapLines(r.robots.Body) {
		if u, err := r.rules.Start.Parse(line); err == nil && r.rules.SameHost(u) {
			out = append(out, r.rules.Settle(u).String())
		}
	}
	return out, nil
}

// at gives an address at the top of the site.
func (r *run) at(path string) string {
	u := *r.rules.Start
	u.Path, u.RawPath, u.RawQuery = path, "", ""
	return u.String()
}
