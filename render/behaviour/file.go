package behaviour

import (
	"time"

	"gopkg.in/yaml.v3"
)

// File is one behaviour: for which pages it is, what it does to them, what it
// counts and which phrases mean that something stands in their place.
type File struct {
	Name      string     `yaml:"name"`
	Version   int        `yaml:"version"`
	About     string     `yaml:"about"`
	Reviewed  bool       `yaml:"reviewed"` // somebody has run it on the site's real pages
	Match     Match      `yaml:"match"`
	Limits    Limits     `yaml:"limits"`
	Steps     []Step     `yaml:"steps"`
	Count     []Count    `yaml:"count"`
	Obstacles []Obstacle `yaml:"obstacles"`

	sha  string // of the file's bytes
	from string // its name, for messages
}

// SHA256 is the hash of the file as it was read.
func (f *File) SHA256() string { return f.sha }

// Match says which pages a file is for. What is given must hold; a file that
// gives nothing is never used for steps, but its obstacles hold everywhere.
type Match struct {
	Hosts []string `yaml:"hosts"` // a name stands for itself and all below it
	Paths []string `yaml:"paths"` // * is any run of characters within a segment, ** across segments
	Page  string   `yaml:"page"`  // a selector; the page holds such an element
	// Fallback makes it the choice only where no other file is for the page.
	Fallback bool `yaml:"fallback"`
}

// Limits bounds a whole file. Zero fields take the default.
type Limits struct {
	Clicks int      `yaml:"clicks"` // 200
	Time   Duration `yaml:"time"`   // 15s
	Height int      `yaml:"height"` // CSS pixels by which the page may grow; 60,000
}

func (l Limits) withDefaults() Limits {
	if l.Clicks == 0 {
		l.Clicks = 200
	}
	if l.Time == 0 {
		l.Time = Duration(15 * time.Second)
	}
	if l.Height == 0 {
		l.Height = 60_000
	}
	return l
}

// Step is one thing done to a page: exactly one of its kinds.
type Step struct {
	Name     string    `yaml:"name"`
	Click    *Click    `yaml:"click"`    // click all that match, until none is left
	Scroll   *Scroll   `yaml:"scroll"`   // walk a box, or the page, down to its end and back
	Reveal   string    `yaml:"reveal"`   // a selector: bring each into view, wait, and go back
	Wait     Duration  `yaml:"wait"`     // until the network is quiet, no longer than this
	Carousel *Carousel `yaml:"carousel"` // go through what is shown one at a time, and back to the first
}

// Target names elements: by selector and, within those, by what they say.
type Target struct {
	Find   string `yaml:"find"`
	Within string `yaml:"within"` // a selector that an ancestor has
	Text   Words  `yaml:"text"`   // what it says or its label, the whole of it
}

// Click is a step that clicks.
type Click struct {
	Target `yaml:",inline"`
	Limit  int  `yaml:"limit"`   // of this step; the file's own when zero
	AtOnce int  `yaml:"at_once"` // clicked before waiting; 4 when zero
	Again  bool `yaml:"again"`   // the same element may be clicked again once the page has changed, though it says the same
}

// Scroll is a step that scrolls: the page when Box is empty.
type Scroll struct {
	Box string `yaml:"box"`
}

// Carousel is a step that goes through slides and comes back.
type Carousel struct {
	Next  Target `yaml:"next"`
	Back  Target `yaml:"back"`
	Limit int    `yaml:"limit"` // 20 when zero
}

// Count says how much of a thread is shown.
type Count struct {
	What   string  `yaml:"what"`   // comments, replies, posts
	When   string  `yaml:"when"`   // a selector; counted only on a page that holds it
	Shown  string  `yaml:"shown"`  // a selector; as many are shown as match it
	Stated *Stated `yaml:"stated"` // where the page says how many there are
}

// Stated finds the page's own number: the first group of the first pattern that
// matches somewhere in what is found.
type Stated struct {
	Find string `yaml:"find"`
	Text Words  `yaml:"text"`
}

// Duration is a time span as Go writes it: 500ms, 10s.
type Duration time.Duration

// UnmarshalYAML reads it.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v <= 0 {
		return &Problem{Line: n.Line, Text: quoted(n.Value) + " is not a time span such as 500ms or 10s"}
	}
	*d = Duration(v)
	return nil
}
