package fidelity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

// Judge looks at live pages and at snapshots with browsers of its own. It is
// safe for use by several goroutines.
type Judge struct {
	live, offline *Chrome
	refusal       *Refusal
}

// NewJudge starts its browsers: one that visits, one that cannot reach anything.
func NewJudge(ctx context.Context, chrome string) (*Judge, error) {
	refusal, err := StartRefusal()
	if err != nil {
		return nil, err
	}
	j := &Judge{refusal: refusal}
	if j.offline, err = StartChrome(ctx, chrome, refusal.Addr); err == nil {
		j.live, err = StartChrome(ctx, chrome, "")
	}
	if err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

// Close ends the judge's browsers.
func (j *Judge) Close() {
	for _, c := range []*Chrome{j.live, j.offline} {
		if c != nil {
			c.Close()
		}
	}
	j.refusal.Close() // only a listener on loopback is lost
}

// lookLimit bounds one look at a page.
const lookLimit = 90 * time.Second

// Visit looks at a live page as any visitor: loads it, under the policy
// "scroll" walks through it, waits until it rests, takes its picture, and then
// reads its text.
func (j *Judge) Visit(ctx context.Context, v candor.Viewport, policy candor.Policy, address, picture string) (Look, error) {
	return look(ctx, j.live, v, true, address, picture, atRest(policy))
}

// Read is Visit without the picture.
func (j *Judge) Read(ctx context.Context, v candor.Viewport, policy candor.Policy, address string) (Look, error) {
	return look(ctx, j.live, v, true, address, "", atRest(policy))
}

func atRest(policy candor.Policy) func(context.Context, *tab) error {
	return func(ctx context.Context, t *tab) error {
		if err := t.settle(ctx); err != nil || policy != candor.PolicyScroll {
			return err
		}
		return errors.Join(t.walk(ctx), t.settle(ctx))
	}
}

// Open looks at a snapshot on the disk, with scripts off and nothing to be
// reached. Requests are those the file made or tried to make.
func (j *Judge) Open(ctx context.Context, v candor.Viewport, snapshot, picture string) (Look, error) {
	path, err := filepath.Abs(snapshot)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return Look{}, err
	}
	before := len(j.refusal.Asked())
	l, err := look(ctx, j.offline, v, false, (&url.URL{Scheme: "file", Path: path}).String(), picture, func(ctx context.Context, t *tab) error {
		return errors.Join(t.fonts(ctx), t.idle(ctx, 150*time.Millisecond, 3*time.Second))
	})
	// The proxy is shared by all who look now. What only it saw is charged to
	// each of them: one request too many is a defect whoever made it.
	for _, r := range j.refusal.Asked()[before:] {
		if _, address, _ := strings.Cut(r, " "); !known(l.Requests, address) && !ofBrowser(address) {
			l.Requests = append(l.Requests, r+" (seen by the proxy)")
		}
	}
	return l, err
}

// ofBrowser tells the browser's own errands, which it runs whatever it shows.
func ofBrowser(address string) bool {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	host, _, _ := strings.Cut(address, ":")
	for _, own := range []string{"google.com", "googleapis.com", "gstatic.com", "gvt1.com"} {
		if host == own || strings.HasSuffix(host, "."+own) {
			return true
		}
	}
	return false
}

// known tells whether the page's own list has an address the proxy saw; of an
// encrypted one it sees only host and port.
func known(requests []string, address string) bool {
	for _, r := range requests {
		u, err := url.Parse(r)
		if r == address || err == nil && (u.Host == address || u.Hostname()+":443" == address) {
			return true
		}
	}
	return false
}

func look(ctx context.Context, c *Chrome, v candor.Viewport, scripts bool, address, picture string, rest func(context.Context, *tab) error) (Look, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	t, err := c.newTab(ctx, v, scripts)
	if err != nil {
		return Look{}, err
	}
	defer t.close()
	if err := t.load(ctx, address); err != nil {
		return Look{}, fmt.Errorf("look at %s: %w", address, err)
	}
	if err := rest(ctx, t); err != nil {
		return Look{}, fmt.Errorf("look at %s: %w", address, err)
	}
	l := Look{Picture: picture}
	if picture != "" {
		if err := t.photograph(ctx, v, picture); err != nil {
			return l, fmt.Errorf("look at %s: %w", address, err)
		}
	}
	if l.Text, err = t.words(ctx); err != nil {
		return l, fmt.Errorf("look at %s: %w", address, err)
	}
	l.Requests = t.asked(address)
	return l, nil
}
