package behaviour

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/candor-archive/candor"
)

// checker looks for the first thing that is wrong with a file.
type checker struct {
	file    string
	root    *yaml.Node
	problem *Problem
}

// wrong notes a problem at a place in the file, given as field names and
// positions.
func (c *checker) wrong(text string, at ...any) {
	if c.problem != nil {
		return
	}
	p := &Problem{File: c.file, Text: text, Line: c.root.Line}
	n := c.root
	for _, step := range at {
		var next *yaml.Node
		switch step := step.(type) {
		case string:
			p.Field = strings.TrimPrefix(p.Field+"."+step, ".")
			for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					p.Line, next = n.Content[i].Line, n.Content[i+1]
				}
			}
		case int:
			p.Field += fmt.Sprintf("[%d]", step)
			if n != nil && n.Kind == yaml.SequenceNode && step < len(n.Content) {
				next = n.Content[step]
				p.Line = next.Line
			}
		}
		n = next
	}
	c.problem = p
}

var (
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}$`)
	hostForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

const (
	mostClicks = 5_000
	mostTime   = 2 * time.Minute
	mostHeight = 500_000
)

func (c *checker) check(f *File) {
	switch {
	case f.Name == "":
		c.wrong("is missing", "name")
	case !nameForm.MatchString(f.Name):
		c.wrong(quoted(f.Name)+" is no name: small letters, digits and hyphens", "name")
	}
	if f.Version < 1 {
		c.wrong("is missing: a number from 1, raised with every change", "version")
	}
	for i, h := range f.Match.Hosts {
		if !hostForm.MatchString(h) {
			c.wrong(quoted(h)+" is no host name such as facebook.com; names below it are meant, too", "match", "hosts", i)
		}
	}
	for i, p := range f.Match.Paths {
		c.path(p, "match", "paths", i)
	}
	c.selector(f.Match.Page, true, "match", "page")
	c.number(f.Limits.Clicks, mostClicks, "limits", "clicks")
	c.number(f.Limits.Height, mostHeight, "limits", "height")
	if time.Duration(f.Limits.Time) > mostTime {
		c.wrong(fmt.Sprintf("is more than the %s that are allowed", mostTime), "limits", "time")
	}
	if f.Match.weight() == 0 && (len(f.Steps) > 0 || len(f.Count) > 0) {
		c.wrong("says for no page what the steps are for: give hosts, paths or page", "match")
	}
	names := map[string]bool{}
	for i := range f.Steps {
		c.step(&f.Steps[i], i)
		if names[f.Steps[i].Name] {
			c.wrong(quoted(f.Steps[i].Name)+" names an earlier step, too", "steps", i, "name")
		}
		names[f.Steps[i].Name] = true
	}
	for i, n := range f.Count {
		if n.What == "" {
			c.wrong("is missing: what is counted, such as comments", "count", i, "what")
		}
		c.selector(n.Shown, false, "count", i, "shown")
		c.selector(n.When, true, "count", i, "when")
		if n.Stated != nil {
			c.selector(n.Stated.Find, false, "count", i, "stated", "find")
			c.words(n.Stated.Text, "count", i, "stated", "text")
			if len(n.Stated.Text) == 0 {
				c.wrong("is missing: patterns whose first group is the number", "count", i, "stated", "text")
			}
			for lang, list := range n.Stated.Text {
				for j, p := range list {
					if p.groups < 1 {
						c.wrong("has no group for the number", "count", i, "stated", "text", lang, j)
					}
				}
			}
		}
	}
	for i := range f.Obstacles {
		c.obstacle(&f.Obstacles[i], i)
	}
}

func (c *checker) step(s *Step, i int) {
	if s.Name == "" {
		c.wrong("is missing", "steps", i, "name")
	}
	kinds := 0
	for _, given := range []bool{s.Click != nil, s.Scroll != nil, s.Reveal != "", s.Wait != 0, s.Carousel != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		c.wrong("does not say what to do: give one of click, scroll, reveal, wait and carousel", "steps", i)
	}
	switch {
	case s.Click != nil:
		c.target(s.Click.Target, "steps", i, "click")
		c.number(s.Click.Limit, mostClicks, "steps", i, "click", "limit")
		c.number(s.Click.AtOnce, 50, "steps", i, "click", "at_once")
	case s.Scroll != nil:
		c.selector(s.Scroll.Box, true, "steps", i, "scroll", "box")
	case s.Reveal != "":
		c.selector(s.Reveal, false, "steps", i, "reveal")
	case s.Carousel != nil:
		c.target(s.Carousel.Next, "steps", i, "carousel", "next")
		c.target(s.Carousel.Back, "steps", i, "carousel", "back")
		c.number(s.Carousel.Limit, 200, "steps", i, "carousel", "limit")
	case time.Duration(s.Wait) > 30*time.Second:
		c.wrong("is more than the 30s that are allowed", "steps", i, "wait")
	}
}

func (c *checker) target(t Target, at ...any) {
	c.selector(t.Find, false, append(at, "find")...)
	c.selector(t.Within, true, append(at, "within")...)
	c.words(t.Text, append(at, "text")...)
	// A bare tag takes in far more than its writer saw.
	if len(t.Text) == 0 && !strings.ContainsAny(t.Find, "[.#") && t.Find != "" {
		c.wrong("is too wide without text: give text, or a selector with an attribute, a class or an id", append(at, "find")...)
	}
}

// selector finds slips of the pen; what a selector means only the browser knows.
func (c *checker) selector(s string, optional bool, at ...any) {
	if s == "" {
		if !optional {
			c.wrong("is missing: a CSS selector", at...)
		}
		return
	}
	var open []rune
	var quote rune
	for _, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '[' || r == '(':
			open = append(open, r)
		case r == ']' || r == ')':
			if len(open) == 0 {
				c.wrong(quoted(s)+" closes a bracket it did not open", at...)
				return
			}
			open = open[:len(open)-1]
		case r == '{' || r == ';':
			c.wrong(quoted(s)+" is no CSS selector", at...)
			return
		}
	}
	if quote != 0 || len(open) > 0 || strings.TrimSpace(s) == "" {
		c.wrong(quoted(s)+" does not close what it opens", at...)
	}
}

func (c *checker) words(w Words, at ...any) {
	for lang, list := range w {
		if !slices.Contains(languages, lang) {
			c.wrong(quoted(lang)+" is no language of ours: "+strings.Join(languages, ", "), append(at, lang)...)
		}
		if len(list) == 0 {
			c.wrong("is an empty list", append(at, lang)...)
		}
	}
}

func (c *checker) path(p string, at ...any) {
	if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "**") || strings.ContainsAny(p, "?# ") {
		c.wrong(quoted(p)+" is no path: it begins with / and holds no query", at...)
	}
}

func (c *checker) number(n, most int, at ...any) {
	if n < 0 || n > most {
		c.wrong(fmt.Sprintf("%d is not from 1 to %d", n, most), at...)
	}
}

// codes are the gaps an obstacle may stand for.
var codes = []candor.GapCode{candor.GapLoginWall, candor.GapBlocked, candor.GapChallenge, candor.GapRateLimited, candor.GapSoftMissing, candor.GapEmpty}

func (c *checker) obstacle(o *Obstacle, i int) {
	if o.Name == "" {
		c.wrong("is missing", "obstacles", i, "name")
	}
	if !slices.Contains(codes, o.Gap) {
		c.wrong(fmt.Sprintf("%q is none of %v", o.Gap, codes), "obstacles", i, "gap")
	}
	w := &o.When
	if w.nothing() {
		c.wrong("says nothing that must hold", "obstacles", i, "when")
	}
	for j, p := range w.Path {
		c.path(p, "obstacles", i, "when", "path", j)
	}
	for j, h := range w.Host {
		if !hostForm.MatchString(h) {
			c.wrong(quoted(h)+" is no host name", "obstacles", i, "when", "host", j)
		}
	}
	for j, s := range w.Status {
		if s < 100 || s > 999 { // LinkedIn answers 999
			c.wrong(fmt.Sprintf("%d is no HTTP status", s), "obstacles", i, "when", "status", j)
		}
	}
	for name, words := range map[string]Words{"title": w.Title, "heading": w.Heading, "says": w.Says, "overlay": w.Overlay} {
		c.words(words, "obstacles", i, "when", name)
	}
	c.selector(w.Has, true, "obstacles", i, "when", "has")
	if w.Password != "" && w.Password != "main" && w.Password != "any" {
		c.wrong(quoted(w.Password)+" is neither main nor any", "obstacles", i, "when", "password")
	}
	// Words alone are in every newspaper.
	if (len(w.Says) > 0 || len(w.Title) > 0 || len(w.Heading) > 0) && w.Words == 0 && w.Total == 0 && len(w.Status) == 0 {
		c.wrong("must also say at how many words of content (words) or at which status it holds, or articles on the subject would be taken for it", "obstacles", i, "when")
	}
}
