package behaviour

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// place is an address taken apart for matching.
type place struct{ host, path string }

func placeOf(address string) place {
	u, err := url.Parse(address)
	if err != nil {
		return place{}
	}
	p := u.Path
	if p == "" {
		p = "/"
	}
	return place{strings.TrimPrefix(strings.ToLower(u.Hostname()), "www."), p}
}

// Candidates are the files that may be for an address, the best first. Those
// with a selector hold only if the page has such an element.
func (s *Set) Candidates(address string) []*File {
	at := placeOf(address)
	var out []*File
	for _, f := range s.files {
		if f.Match.weight() > 0 && (len(f.Match.Hosts) == 0 || under(f.Match.Hosts, at.host)) && (len(f.Match.Paths) == 0 || along(f.Match.Paths, at.path)) {
			out = append(out, f)
		}
	}
	return out
}

// Choose gives the first of the candidates that the page has the element for,
// or nil. has says which selectors match something on the page.
func Choose(candidates []*File, has map[string]bool) *File {
	for _, f := range candidates {
		if f.Match.Page == "" || has[f.Match.Page] {
			return f
		}
	}
	return nil
}

// Selectors are those whose presence decides, for an address: of the candidates
// and of every obstacle that is looked for there.
func (s *Set) Selectors(address string) []string {
	var out []string
	for _, f := range s.Candidates(address) {
		if f.Match.Page != "" {
			out = append(out, f.Match.Page)
		}
	}
	for _, f := range s.watching(address) {
		for _, o := range f.Obstacles {
			if o.When.Has != "" {
				out = append(out, o.When.Has)
			}
		}
	}
	return out
}

// watching are the files whose obstacles are looked for at an address: those of
// its site, and the general ones last.
func (s *Set) watching(address string) []*File {
	at := placeOf(address)
	var out []*File
	for _, f := range s.files {
		if len(f.Obstacles) > 0 && (len(f.Match.Hosts) == 0 || under(f.Match.Hosts, at.host)) {
			out = append(out, f)
		}
	}
	return out
}

// under reports whether host is one of the names or below one.
func under(names []string, host string) bool {
	for _, n := range names {
		if host == n || strings.HasSuffix(host, "."+n) {
			return true
		}
	}
	return false
}

// along reports whether a path has one of the shapes; case and a slash at the
// end make no difference.
func along(shapes []string, path string) bool {
	for _, s := range shapes {
		if shape(s).MatchString(path) {
			return true
		}
	}
	return false
}

var shapes sync.Map // of text to *regexp.Regexp

func shape(s string) *regexp.Regexp {
	if re, ok := shapes.Load(s); ok {
		return re.(*regexp.Regexp)
	}
	text := regexp.QuoteMeta(strings.TrimSuffix(s, "/"))
	text = strings.ReplaceAll(text, `/\*\*/`, `/(?:.*/)?`)
	if rest, ok := strings.CutSuffix(text, `/\*\*`); ok {
		text = rest + `(?:/.*)?`
	}
	text = strings.ReplaceAll(text, `\*\*`, `.*`)
	text = strings.ReplaceAll(text, `\*`, `[^/]*`)
	re := regexp.MustCompile(`(?i)^` + text + `/?$`)
	shapes.Store(s, re)
	return re
}

// AllSelectors lists every selector of every file, for checking.
func (s *Set) AllSelectors() []string {
	var out []string
	add := func(list ...string) {
		for _, sel := range list {
			if sel != "" {
				out = append(out, sel)
			}
		}
	}
	for _, f := range s.files {
		add(f.Match.Page)
		for _, st := range f.Steps {
			add(st.Reveal)
			switch {
			case st.Click != nil:
				add(st.Click.Find, st.Click.Within)
			case st.Scroll != nil:
				add(st.Scroll.Box)
			case st.Carousel != nil:
				add(st.Carousel.Next.Find, st.Carousel.Next.Within, st.Carousel.Back.Find, st.Carousel.Back.Within)
			}
		}
		for _, c := range f.Count {
			add(c.When, c.Shown)
			if c.Stated != nil {
				add(c.Stated.Find)
			}
		}
		for _, o := range f.Obstacles {
			add(o.When.Has)
		}
	}
	return out
}
