package discover

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/scope"
	"github.com/candor-archive/candor/crawler/transport"
)

// Config says which site to read and how far.
type Config struct {
	Visit     *transport.Visit
	Objects   transport.Objects
	Start     string // the source's address
	UserAgent string // transport.UserAgent when empty
	MaxPages  int    // pages fetched in one run
	MaxBody   int    // bytes of one body; as the transport cuts them
	Depth     int    // links away from the start; 0 means scope.DefaultDepth
	Now       time.Time
}

// Page is one page as it answered.
type Page struct {
	URL       string // by which it is known
	Title     string
	Text      string
	Language  string
	Posted    time.Time
	Reply     *transport.Reply // not kept yet: only who compares knows whether it is worth it
	Unchanged bool             // the server says it is as it was; the rest is empty
	Truncated bool
}

// Result is what a run brought besides its pages.
type Result struct {
	HomeAlive bool              // the start answered as a page, or as unchanged
	Gone      []Gone            // known pages that answered 404 or 410
	Refused   map[string]string // address -> why it was not taken
	Left      int               // pages known but not reached in this run
	Trouble   error             // why the run stopped short
}

// Gone is a page that answered 404 or 410.
type Gone struct {
	URL   string
	Reply *transport.Reply
}

// run is one walk over a site.
type run struct {
	cfg       Config
	rules     scope.Rules
	memory    *Memory
	page      func(context.Context, Page) error
	collector *colly.Collector
	done      map[string]bool
	result    Result

	last   *transport.Reply // newest answer to what colly asked for
	robots *transport.Reply
	links  []string // found by colly on the page just read
	failed int      // fetches in a row without an answer
}

// stubborn is how many fetches in a row may fail before a run gives up.
const stubborn = 4

// Run walks the site. Every page goes to the function as it is read; the
// memory is brought up to date. The error is for what concerns us alone: what
// the site does wrong is in the result.
func Run(ctx context.Context, cfg Config, memory *Memory, page func(context.Context, Page) error) (Result, error) {
	memory.init()
	if cfg.UserAgent == "" {
		cfg.UserAgent = transport.UserAgent
	}
	r := &run{cfg: cfg, memory: memory, page: page, done: map[string]bool{}}
	r.result.Refused = map[string]string{}
	rules, err := scope.New(cfg.Start, cfg.Depth)
	if err != nil {
		r.result.Trouble = err
		return r.result, nil
	}
	r.rules = rules
	r.collector = r.newCollector(ctx)
	err = r.walk(ctx)
	return r.result, err
}

func (r *run) newCollector(ctx context.Context) *colly.Collector {
	c := colly.NewCollector(colly.StdlibContext(ctx), colly.UserAgent(r.cfg.UserAgent))
	c.IgnoreRobotsTxt = false // colly ignores it unless told not to
	c.MaxBodySize = r.cfg.MaxBody
	c.Async = false
	c.AllowURLRevisit = true             // what was done in this run is kept here, redirects included
	c.SetRequestTimeout(2 * time.Minute) // the transport bounds each try; this bounds them all
	inner := r.cfg.Visit.RoundTripper(func(reply *transport.Reply) { r.last = reply })
	c.WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
		before := r.last
		// colly asks for robots.txt without the context of its collector.
		res, err := inner.RoundTrip(req.WithContext(ctx))
		if req.URL.Path == "/robots.txt" {
			r.robots, r.last = r.last, before
			if err == nil && res.StatusCode >= 500 {
				// RFC 9309: rules that cannot be read forbid everything. colly would
				// take them for no rules.
				return nil, fmt.Errorf("robots.txt answered %d", res.StatusCode)
			}
		}
		return res, err
	}))
	c.SetRedirectHandler(func(req *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("more than 10 redirects")
		}
		if reason := r.rules.Check(req.URL, 0); reason != scope.In && !(len(r.done) == 0 && r.moves(req.URL)) {
			return fmt.Errorf("redirects out of scope (%s)", reason)
		}
		return nil
	})
	c.OnRequest(func(req *colly.Request) {
		memo := r.memo(req.URL.String())
		if memo != nil && memo.ETag != "" {
			req.Headers.Set("If-None-Match", memo.ETag)
		}
		if memo != nil && memo.Modified != "" {
			req.Headers.Set("If-Modified-Since", memo.Modified)
		}
	})
	c.OnHTML("a[href], area[href]", func(e *colly.HTMLElement) {
		r.links = append(r.links, e.Request.AbsoluteURL(e.Attr("href")))
	})
	return c
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func (r *run) memo(address string) *Memo {
	if m := r.memory.Pages[address]; m != nil {
		return m
	}
	return r.memory.Listings[address]
}

func (r *run) moves(to *url.URL) bool {
	_, ok := r.rules.Moved(to)
	return ok
}

// answer is what one fetch ended with.
type answer struct {
	reply *transport.Reply
	final *url.URL
	err   error // without an answer, or against robots.txt
}

// fetch asks colly for one address. colly decides about robots.txt and
// redirects; the bytes are those the transport saw, before any decoding.
func (r *run) fetch(ctx context.Context, address string) (answer, error) {
	r.last, r.links = nil, nil
	err := r.collector.Visit(address)
	if ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	if r.last == nil {
		if err == nil {
			err = errors.New("no answer")
		}
		return answer{err: err}, nil
	}
	final, perr := url.Parse(r.last.Answer.URL)
	if perr != nil {
		return answer{}, fmt.Errorf("read address of an answer: %w", perr)
	}
	return answer{reply: r.last, final: final}, nil
}

// walk visits the start, then the listings, then pages until the budget is
// used up.
func (r *run) walk(ctx context.Context) error {
	start := r.rules.Start.String()
	r.memory.found(start, 0, time.Time{})
	if err := r.visit(ctx, start); err != nil {
		return err
	}
	if r.result.Trouble != nil {
		return nil // nothing below a start that does not answer is worth a guess
	}
	if err := r.listings(ctx); err != nil {
		return err
	}
	for len(r.done) < r.cfg.MaxPages {
		turn := r.memory.turn(r.done, r.cfg.Now)
		if len(turn) == 0 {
			return nil
		}
		// Links found on the way are new and go first, so look again after each
		// small batch.
		for _, address := range turn[:min(len(turn), 10, r.cfg.MaxPages-len(r.done))] {
			if err := r.visit(ctx, address); err != nil {
				return err
			}
			if r.failed >= stubborn {
				r.result.Trouble = fmt.Errorf("%d fetches in a row had no answer", r.failed)
				return nil
			}
		}
	}
	r.result.Left = len(r.memory.turn(r.done, r.cfg.Now))
	return nil
}

// visit fetches one page and hands it on.
func (r *run) visit(ctx context.Context, address string) error {
	memo := r.memory.Pages[address]
	home := len(r.done) == 0
	r.done[address] = true
	a, err := r.fetch(ctx, address)
	if err != nil {
		return err
	}
	switch {
	case errors.Is(a.err, colly.ErrRobotsTxtBlocked):
		r.refuse(address, memo, a.err)
		if home {
			r.result.Trouble = fmt.Errorf("read %s: %w", address, a.err)
		}
		return nil
	case a.err != nil:
		r.failed++
		r.result.Refused[address] = a.err.Error()
		if home {
			r.result.Trouble = fmt.Errorf("read %s: %w", address, a.err)
		}
		return nil
	}
	r.failed = 0
	status := a.reply.Answer.Status
	if home {
		if moved, ok := r.rules.Moved(a.final); ok {
			r.rules = moved
		}
		r.result.HomeAlive = status == http.StatusOK || status == http.StatusNotModified
		if !r.result.HomeAlive {
			r.result.Trouble = fmt.Errorf("read %s: the server answered %d", address, status)
			return r.cfg.Visit.Keep(ctx, r.cfg.Objects, a.reply)
		}
	}
	switch {
	case status == http.StatusNotModified:
		memo.Checked = r.cfg.Now
		if memo.Skip != "" {
			return nil
		}
		if r.rules.Settle(a.final).String() != address {
			memo.ETag, memo.Modified = "", "" // another page's "unchanged" says nothing about this one
			return nil
		}
		return r.page(ctx, Page{URL: address, Unchanged: true, Reply: a.reply})
	case status == http.StatusNotFound || status == http.StatusGone:
		return r.gone(ctx, address, memo, a)
	case status != http.StatusOK:
		// Not allowed, overloaded, in repair, sent elsewhere: nothing is learnt.
		r.result.Refused[address] = fmt.Sprintf("the server answered %d", status)
		memo.Checked = r.cfg.Now
		return nil
	}
	return r.take(ctx, address, memo, a)
}

func (r *run) refuse(address string, memo *Memo, why error) {
	r.result.Refused[address] = why.Error()
	memo.Checked = r.cfg.Now
	memo.Skip = why.Error()
}

func (r *run) gone(ctx context.Context, address string, memo *Memo, a answer) error {
	memo.Checked = r.cfg.Now
	r.result.Refused[address] = fmt.Sprintf("the server answered %d", a.reply.Answer.Status)
	if r.rules.Settle(a.final).String() != address {
		return nil // it led elsewhere, and that place is gone
	}
	memo.ETag, memo.Modified = "", "" // if it comes back, it comes back whole
	r.result.Gone = append(r.result.Gone, Gone{URL: address, Reply: a.reply})
	return nil
}

// take reads a page that answered.
func (r *run) take(ctx context.Context, address string, memo *Memo, a answer) error {
	memo.Checked = r.cfg.Now
	memo.Skip = ""
	final := r.rules.Settle(a.final)
	doc, err := parse(a.reply)
	if err != nil {
		memo.Skip = err.Error()
		r.result.Refused[address] = memo.Skip
		return nil
	}
	r.follow(a.final, doc, memo.Depth)
	if own, ok := r.canonical(address, final, doc); ok {
		r.aka(address, own, memo)
		return nil
	}
	if final.String() != address {
		r.aka(address, final, memo)
		if r.done[final.String()] || r.memory.Pages[final.String()] == nil {
			return nil
		}
		// It was sent on and answered: read it as the page it is.
		address = final.String()
		r.done[address], memo = true, r.memory.Pages[address]
		memo.Checked, memo.Skip = r.cfg.Now, ""
	}
	memo.ETag, memo.Modified = a.reply.Header.Get("ETag"), a.reply.Header.Get("Last-Modified")
	return r.page(ctx, Page{
		URL: address, Title: doc.title, Text: doc.text, Language: doc.language, Posted: memo.Posted, Reply: a.reply, Truncated: a.reply.Answer.Truncated,
	})
}

func parse(reply *transport.Reply) (document, error) {
	media, _, err := mime.ParseMediaType(reply.Answer.MediaType)
	if err != nil { // none was sent, or none that can be read
		media = http.DetectContentType(reply.Body)
	}
	if media != "application/xhtml+xml" && !strings.HasPrefix(media, "text/html") {
		return document{}, candor.Errorf(candor.Invalid, "not a page but %s", media)
	}
	doc, err := read(reply.Body, reply.Answer.MediaType)
	if err != nil {
		return document{}, candor.Errorf(candor.Invalid, "not readable: %w", err)
	}
	return doc, nil
}

// Read gives what one answer says as a page.
func Read(reply *transport.Reply) (Page, error) {
	doc, err := parse(reply)
	if err != nil {
		return Page{}, err
	}
	return Page{
		URL: reply.Answer.URL, Title: doc.title, Text: doc.text, Language: doc.language, Reply: reply, Truncated: reply.Answer.Truncated,
	}, nil
}

// aka notes that an address is another name of a page.
func (r *run) aka(address string, own *url.URL, memo *Memo) {
	memo.Skip, memo.ETag, memo.Modified = "the same page as "+own.String(), "", ""
	r.result.Refused[address] = memo.Skip
	r.memory.found(own.String(), memo.Depth, memo.Posted)
}

// canonical gives the address a page names as its own, when that is another
// page of this source. A page is only ever read under the address it is known
// by; a site that names its home page as the canonical form of everything is
// not believed.
func (r *run) canonical(address string, final *url.URL, doc document) (*url.URL, bool) {
	c, ok := doc.resolve(final, doc.canonical)
	if !ok || r.rules.Check(c, 0) != scope.In {
		return nil, false
	}
	c = r.rules.Settle(c)
	known := []string{address, final.String(), r.rules.Start.String()}
	return c, !slices.Contains(known, c.String())
}

// follow notes the links and feeds of a page.
func (r *run) follow(page *url.URL, doc document, depth int) {
	for _, href := range r.links {
		u, reason := r.rules.Link(page, href, depth+1)
		if reason != scope.In {
			if href != "" && reason != scope.FragmentOnly && len(r.result.Refused) < maxPages {
				r.result.Refused[href] = string(reason)
			}
			continue
		}
		if !r.memory.found(u.String(), depth+1, time.Time{}) {
			r.result.Refused[u.String()] = "more pages than one source may have"
		}
	}
	for _, href := range doc.feeds {
		if u, ok := doc.resolve(page, href); ok && r.memory.Feed == "" && r.rules.SameHost(u) {
			r.memory.Feed = r.rules.Settle(u).String()
		}
	}
}
