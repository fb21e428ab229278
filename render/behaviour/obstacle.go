package behaviour

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/candor-archive/candor"
)

// Obstacle is one way to tell that something stands in the place of a page.
type Obstacle struct {
	Name    string         `yaml:"name"`
	Gap     candor.GapCode `yaml:"gap"`
	Partial bool           `yaml:"partial"` // the content is there all the same, behind it
	Detail  string         `yaml:"detail"`  // a fact for whoever words the gap
	Text    string         `yaml:"text"`    // the gap in one sentence; that of its code when empty
	When    When           `yaml:"when"`
}

// When is what must hold, all of it.
type When struct {
	Status   []int    `yaml:"status"`
	Host     []string `yaml:"host"`     // of the final address
	Path     []string `yaml:"path"`     // of the final address
	Moved    bool     `yaml:"moved"`    // the final address is not the one asked for
	Title    Words    `yaml:"title"`    // the whole title or a whole part of it, between bars or dashes
	Heading  Words    `yaml:"heading"`  // a whole heading
	Says     Words    `yaml:"says"`     // anywhere in the visible words
	Overlay  Words    `yaml:"overlay"`  // anywhere in what lies over the page
	Covers   int      `yaml:"covers"`   // percent of the window that is laid over, at least
	Locked   bool     `yaml:"locked"`   // the page beneath cannot be scrolled
	Password string   `yaml:"password"` // a field for one: main when not in a bar at the top, any
	Words    int      `yaml:"words"`    // of content at most, without bars, menus, footers and sign-in forms
	Over     int      `yaml:"over"`     // of content, more than
	Total    int      `yaml:"total"`    // of all the page at most
	Frame    []string `yaml:"frame"`    // the address of a frame shown holds one of these
	Has      string   `yaml:"has"`      // a selector
	Empty    bool     `yaml:"empty"`    // there are scripts, and nothing has been drawn
}

func (w *When) nothing() bool {
	return len(w.Status) == 0 && len(w.Host) == 0 && len(w.Path) == 0 && len(w.Title) == 0 && len(w.Heading) == 0 && len(w.Says) == 0 &&
		len(w.Overlay) == 0 && w.Covers == 0 && w.Password == "" && len(w.Frame) == 0 && w.Has == "" && !w.Empty
}

// Seen is what a page showed, as far as it tells an obstacle from content.
type Seen struct {
	Asked  string `json:"-"` // the address
	Final  string `json:"-"`
	Status int    `json:"-"`
	Count  int    `json:"-"` // of all visible words, frames and closed roots too; -1 when not counted

	Text     string          `json:"text"` // the visible words, from the beginning
	HTML     bool            `json:"html"`
	Title    string          `json:"title"`
	Headings []string        `json:"headings"`
	Content  int             `json:"content"` // words outside bars, menus, footers and sign-in forms
	Walked   int             `json:"walked"`  // words of the document the count of content was taken from
	Capped   bool            `json:"capped"`  // counting ended early: there are more
	Password string          `json:"password"`
	Frames   []string        `json:"frames"`
	Scripts  bool            `json:"scripts"`
	Drawn    bool            `json:"drawn"` // something that is not words is on show
	Has      map[string]bool `json:"has"`
	Overlay  struct {
		Text     string `json:"text"`
		Covers   int    `json:"covers"`
		Locked   bool   `json:"locked"`
		Password bool   `json:"password"`
	} `json:"overlay"`
}

// words is how much content there is. What the document itself does not account
// for is in frames or closed roots, and content.
func (s *Seen) words() int {
	if s.Capped {
		return max(s.Content, 400)
	}
	return s.Content + max(0, s.Count-s.Walked)
}

// total is how many words there are in all.
func (s *Seen) total() int { return max(s.Count, s.Walked) }

// Obstacle gives what stands in the way of a page, or ok false. One that hides
// everything comes before one that leaves the content readable.
func (s *Set) Obstacle(seen *Seen) (g candor.Gap, ok bool) {
	if !seen.HTML {
		return g, false
	}
	for _, f := range s.watching(seen.Final) {
		if f.Match.Page != "" && !seen.Has[f.Match.Page] {
			continue
		}
		for i := range f.Obstacles {
			o := &f.Obstacles[i]
			if ok && o.Partial || !o.holds(seen) {
				continue
			}
			found := o.gap(seen)
			if found.Fatal {
				return found, true
			}
			g, ok = found, true
		}
	}
	return g, ok
}

func (o *Obstacle) holds(seen *Seen) bool {
	w := &o.When
	at := placeOf(seen.Final)
	if seen.Status >= 400 && len(w.Status) == 0 {
		switch o.Gap {
		case candor.GapLoginWall, candor.GapBlocked, candor.GapChallenge, candor.GapRateLimited:
		default: // the server has said so itself
			return false
		}
	}
	switch {
	case len(w.Status) > 0 && !slices.Contains(w.Status, seen.Status),
		len(w.Host) > 0 && !under(w.Host, at.host),
		len(w.Path) > 0 && !along(w.Path, at.path),
		w.Moved && !moved(seen.Asked, seen.Final),
		w.Password == "any" && seen.Password == "" && !seen.Overlay.Password,
		w.Password == "main" && seen.Password != "main",
		w.Covers > 0 && seen.Overlay.Covers < w.Covers,
		w.Locked && !seen.Overlay.Locked,
		w.Words > 0 && seen.words() > w.Words,
		w.Over > 0 && seen.words() <= w.Over,
		w.Total > 0 && (seen.total() > w.Total || seen.Capped),
		w.Has != "" && !seen.Has[w.Has],
		w.Empty && !seen.empty():
		return false
	}
	return (len(w.Title) == 0 || slices.ContainsFunc(titleParts(seen.Title), w.Title.Whole)) &&
		(len(w.Heading) == 0 || slices.ContainsFunc(seen.Headings, w.Heading.Whole)) &&
		(len(w.Says) == 0 || w.Says.In(seen.Text)) &&
		(len(w.Overlay) == 0 || w.Overlay.In(seen.Overlay.Text)) &&
		(len(w.Frame) == 0 || slices.ContainsFunc(seen.Frames, func(f string) bool {
			return slices.ContainsFunc(w.Frame, func(part string) bool { return strings.Contains(f, part) })
		}))
}

// waiting is all that a page says while it is not there yet.
var waiting = map[string]bool{"loading": true, "please wait": true, "one moment": true, "cargando": true, "espere": true, "espere por favor": true, "por favor espere": true, "un momento": true}

func (s *Seen) empty() bool {
	text := strings.ToLower(strings.TrimRight(strings.ReplaceAll(plain(s.Text), ",", ""), ".! "))
	return s.Scripts && !s.Drawn && (text == "" && s.total() == 0 || waiting[text])
}

// moved reports whether two addresses are of different pages. A scheme, a
// leading www, a slash at the end and what follows a question mark make no
// difference.
func moved(asked, final string) bool {
	a, b := placeOf(asked), placeOf(final)
	return a.host != b.host || !strings.EqualFold(strings.TrimSuffix(a.path, "/"), strings.TrimSuffix(b.path, "/"))
}

var bars = strings.NewReplacer(" | ", "\x00", " - ", "\x00", " – ", "\x00", " — ", "\x00", " · ", "\x00", " • ", "\x00", " » ", "\x00", " « ", "\x00", ": ", "\x00", " / ", "\x00")

// titleParts are a title and the parts sites put together to make one.
func titleParts(title string) []string {
	title = plain(title)
	return append([]string{title}, strings.Split(bars.Replace(title), "\x00")...)
}

// sentences say what an obstacle is when its rule does not.
var sentences = map[candor.GapCode]string{
	candor.GapLoginWall:   "a page that asks to sign in stands in its place",
	candor.GapBlocked:     "a page that says it may not be seen stands in its place",
	candor.GapChallenge:   "a page that wants proof of a person stands in its place",
	candor.GapRateLimited: "the site says that it is asked too often",
	candor.GapSoftMissing: "the page says that there is nothing at this address",
	candor.GapEmpty:       "the page is an application that drew nothing",
}

func (o *Obstacle) gap(seen *Seen) candor.Gap {
	g := candor.Gap{Code: o.Gap, Fatal: !o.Partial, Detail: o.Detail, Text: o.Text}
	if g.Text == "" {
		g.Text = sentences[o.Gap]
		if o.Partial {
			g.Text = map[candor.GapCode]string{candor.GapLoginWall: "a request to sign in lies over the page"}[o.Gap]
		}
		if g.Text == "" {
			g.Text = sentences[o.Gap]
		}
	}
	if seen.Status >= 400 {
		g.Detail = fmt.Sprint(seen.Status)
		g.Text += fmt.Sprintf(" (status %d)", seen.Status)
	} else if o.When.Moved {
		if u, err := url.Parse(seen.Final); err == nil {
			g.Text += " (the visit was sent on to " + u.Host + u.Path + ")"
		}
	}
	return g
}
