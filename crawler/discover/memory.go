package discover

import (
	"slices"
	"time"
)

// Memory is what a run leaves for the next.
type Memory struct {
	Feed     string           `json:"feed,omitempty"`  // where it was found
	Sought   time.Time        `json:"sought,omitzero"` // when a feed was last looked for in the usual places
	Pages    map[string]*Memo `json:"pages,omitempty"`
	Listings map[string]*Memo `json:"listings,omitempty"` // feed, sitemaps and robots.txt
}

// Memo is what is remembered of one address.
type Memo struct {
	ETag     string    `json:"e,omitempty"`
	Modified string    `json:"m,omitempty"` // Last-Modified, as it was sent
	SHA      string    `json:"s,omitempty"` // of a listing's newest bytes
	Checked  time.Time `json:"c,omitzero"`  // zero: found, not fetched yet
	Depth    int       `json:"d,omitempty"`
	Posted   time.Time `json:"p,omitzero"`  // as a feed says
	Skip     string    `json:"x,omitempty"` // why it makes no record
}

// Limits of what is remembered and how often refused addresses are tried.
const (
	maxPages   = 5000
	retrySkips = 7 * 24 * time.Hour
)

func (m *Memory) init() {
	if m.Pages == nil {
		m.Pages = map[string]*Memo{}
	}
	if m.Listings == nil {
		m.Listings = map[string]*Memo{}
	}
}

// found notes an address to be fetched. It reports whether there was room.
func (m *Memory) found(address string, depth int, posted time.Time) bool {
	memo := m.Pages[address]
	if memo == nil {
		if len(m.Pages) >= maxPages {
			return false
		}
		memo = &Memo{Depth: depth}
		m.Pages[address] = memo
	}
	memo.Depth = min(memo.Depth, depth)
	if !posted.IsZero() {
		memo.Posted = posted
	}
	return true
}

// Forget drops an address that turned out to lead nowhere.
func (m *Memory) Forget(address string) {
	if memo := m.Pages[address]; memo != nil {
		memo.Skip = "not found" // kept for a while, so that each link to it is not tried anew
	}
}

// turn gives the addresses to fetch next: new ones first, near the start
// first, then known ones, the longest unvisited first.
func (m *Memory) turn(done map[string]bool, now time.Time) []string {
	var out []string
	for address, memo := range m.Pages {
		if done[address] || (memo.Skip != "" && now.Sub(memo.Checked) < retrySkips) {
			continue
		}
		out = append(out, address)
	}
	slices.SortFunc(out, func(a, b string) int {
		x, y := m.Pages[a], m.Pages[b]
		if x.Checked.IsZero() && y.Checked.IsZero() && x.Depth != y.Depth {
			return x.Depth - y.Depth
		}
		if c := x.Checked.Compare(y.Checked); c != 0 {
			return c
		}
		if a < b {
			return -1
		}
		return 1
	})
	return out
}
