package page

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/behaviour"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/proxy"
)

// Pool lends browsers; *browser.Pool is one. An error of Borrow means that no
// browser can be had now.
type Pool interface {
	Borrow(ctx context.Context) (*browser.Lease, error)
}

// Renderer makes captures. It is safe for use by several goroutines.
type Renderer struct {
	Pool     Pool
	Software string // name and version for the manifest
	Limits   Limits
	Now      func() time.Time // time.Now when nil
	Log      *slog.Logger

	// PictureOnly leaves out what is read besides the picture: snapshot, text,
	// layout and the bodies of answers.
	PictureOnly bool

	// Check is the share of captures whose snapshot is opened again and compared
	// with the picture, from 0 for none to 1 for all. Which ones they are
	// follows from their ids.
	Check float64

	// Behaviours say what is done to the pages of which sites, under the policy
	// scroll, and how obstacles look; those that ship with the program when nil.
	Behaviours *behaviour.Set
}

// bufferPerBody and bufferTotal are what Chrome keeps of answers until we ask.
const (
	bufferPerBody = 32 << 20
	bufferTotal   = 256 << 20
)

// CheckURL says why an address cannot be captured, in words for whoever gave
// it, or nil.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return candor.Errorf(candor.Invalid, "%q is not an address: %w", raw, err)
	case u.Scheme != "http" && u.Scheme != "https":
		return candor.Errorf(candor.Invalid, "%q is not an address on the web: it must begin with http:// or https://", raw)
	case u.Hostname() == "":
		return candor.Errorf(candor.Invalid, "%q names no host", raw)
	case u.User != nil:
		return candor.Errorf(candor.Invalid, "the address for %s holds a user name or password: take it out, captures are made as any visitor", u.Hostname())
	}
	return nil
}

// Capture visits spec.URL and writes every artefact and then the manifest into
// dir, which is made if need be; what an earlier try left there is removed. After
// the capture proper come what else the spec asks for, the cleaned picture and
// further renditions, and the self-check; whatever becomes of those, the capture
// proper stands. Capture returns once all of it is on the disk. A page that cannot
// be captured gives a manifest that says so and a nil error. An error means that
// the worker was in trouble, or the caller gave up, and dir holds nothing of use.
func (r *Renderer) Capture(ctx context.Context, spec candor.CaptureSpec, dir string) (candor.Manifest, error) {
	now := r.Now
	if now == nil {
		now = time.Now
	}
	if spec.Profile == "" {
		spec.Profile = candor.Desktop
	}
	if spec.Policy == "" {
		spec.Policy = candor.PolicyLoad
	}
	if err := prepare(dir); err != nil {
		return candor.Manifest{}, fmt.Errorf("capture %s: %w", spec.URL, err)
	}
	m := candor.Manifest{Version: 1, ID: spec.ID, URL: clean(spec.URL), FinalURL: clean(spec.URL), Profile: spec.Profile, Policy: spec.Policy,
		Viewport: viewOf(spec), Scheduled: candor.Moment(spec.ScheduledAt), Software: r.Software}
	if m.Scheduled.IsZero() {
		m.Scheduled = candor.Moment(now())
	}
	if err := CheckURL(spec.URL); err != nil {
		m.Started = candor.Moment(now())
		m.Navigated, m.Settled, m.Shot, m.Finished = m.Started, m.Started, m.Started, m.Started
		m.Outcome, m.Reason = candor.Failed, err.Error()
		m.Gaps = []candor.Gap{{Code: candor.GapNotVisited, Fatal: true, Text: m.Reason}}
		m.Steps = []candor.Step{{Name: "navigate", Outcome: candor.StepSkipped, Detail: err.Error()}}
		return m, seal(dir, m)
	}
	lease, err := r.Pool.Borrow(ctx)
	if err != nil {
		return candor.Manifest{}, fmt.Errorf("capture %s: %w", spec.URL, err)
	}
	have := &borrowed{pool: r.Pool, lease: lease, broken: true} // until the visit ends well
	defer func() { have.giveBack() }()
	m.Started = candor.Moment(now())
	s := r.session(spec, dir, lease, &m)
	if err := s.run(ctx); err != nil {
		return candor.Manifest{}, err
	}
	have.broken = s.hung
	if err := r.further(ctx, s, have); err != nil {
		return candor.Manifest{}, err
	}
	have.giveBack() // another page may have the place while this one is written down
	m.Finished = candor.Moment(now())
	m.Outcome, m.Reason, m.Gaps = s.doubts.outcome()
	if err := seal(dir, m); err != nil {
		return candor.Manifest{}, fmt.Errorf("capture %s: write the manifest: %w", spec.URL, err)
	}
	return m, nil
}

// session begins one visit in a tab, whose account is m.
func (r *Renderer) session(spec candor.CaptureSpec, dir string, lease *browser.Lease, m *candor.Manifest) *session {
	s := &session{spec: spec, dir: dir, limits: r.Limits.withDefaults(), pictureOnly: r.PictureOnly, behaviours: r.Behaviours, now: r.Now, log: r.Log, lease: lease, m: m}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	m.Browser, m.UserAgent = lease.Product(), agentOf(spec.Profile, lease.Agent())
	return s
}

// further does what comes after the capture proper, each within limits of its
// own. Only a caller who gave up makes it fail.
func (r *Renderer) further(ctx context.Context, s *session, have *borrowed) error {
	if s.spec.Cleaned {
		s.cleaned(ctx)
		have.broken = have.broken || s.hung
	}
	if !r.PictureOnly && chosen(s.spec.ID, r.Check) {
		s.selfCheck(ctx, have)
	}
	done := map[candor.Profile]bool{s.spec.Profile: true}
	for _, p := range s.spec.Also {
		if !done[p] {
			done[p] = true
			r.rendition(ctx, s, have, p)
		}
	}
	s.m.Files = append(s.m.Files, s.more...)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("capture %s: %w", s.spec.URL, err)
	}
	return nil
}

// chosen says whether a capture is among a share of all. It follows from the id
// alone, so that a capture that is tried again is treated as before.
func chosen(id string, share float64) bool {
	sum := sha256.Sum256([]byte(id))
	return float64(binary.BigEndian.Uint64(sum[:])>>11)/(1<<53) < share
}

// borrowed is the browser a capture has in hand.
type borrowed struct {
	pool   Pool
	lease  *browser.Lease // nil when there is none
	broken bool
}

// fresh gives a tab without a trace of the visit before for a further one, which
// begin starts at the proxy. A broken browser is replaced by another.
func (b *borrowed) fresh(ctx context.Context, begin func(*proxy.Proxy) *proxy.Visit) (*browser.Lease, error) {
	if b.lease != nil && !b.broken {
		next, err := b.lease.Renew(ctx, begin)
		if err == nil {
			b.lease = next
			return next, nil
		}
		b.broken = true
	}
	b.giveBack()
	lease, err := b.pool.Borrow(ctx)
	if err != nil {
		return nil, err
	}
	lease.Visit = begin(lease.Proxy) // nothing was asked for in the one that Borrow began
	b.lease = lease
	return lease, nil
}

func (b *borrowed) giveBack() {
	if b.lease != nil {
		b.lease.Return(b.broken)
		b.lease, b.broken = nil, false
	}
}
