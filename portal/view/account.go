package view

import (
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// Account is what a manifest says of how a capture went, in the reader's words.
type Account struct {
	Gaps       []GapLine
	Shown      []string
	Steps      []StepLine
	Behaviours []BehaviourLine
	Check      *CheckAccount // nil when the capture was not checked
}

// GapLine is one thing that is missing. Note is the capture's own words in
// English, where ours cannot say it all.
type GapLine struct {
	Text string
	Note string
}

// StepLine is one step of a capture.
type StepLine struct {
	Name    string
	Outcome candor.StepOutcome
	Took    time.Duration
}

// idle is the outcome of a step that found nothing to do on the page. To a reader
// that is another thing than a step that was left out.
const idle candor.StepOutcome = "idle"

// BehaviourLine is one behaviour that ran on the page.
type BehaviourLine struct {
	Name    string // of its file
	Version int
	Untried bool // nobody has tried it on the site's real pages
	Steps   []BehaviourStep
}

// BehaviourStep is one step of a behaviour. Foreign says that its name is the
// file's own, in English.
type BehaviourStep struct {
	StepLine
	Foreign bool
}

// CheckAccount is the self-check in words.
type CheckAccount struct {
	Result  string
	Same    bool // no pixel differs and the words are equal
	Text    string
	Network string // only when it asked for something
	Regions []RegionLine
	Took    time.Duration
}

// RegionLine is one place that differs.
type RegionLine struct {
	N    int
	Text string
	Box  [4]float64 // CSS pixels of the page
}

// NewAccount words a manifest. c is the capture it belongs to: old manifests say
// why they are incomplete in one English sentence only.
func NewAccount(p Page, m candor.Manifest, c candor.Capture) Account {
	a := Account{Gaps: GapLines(p, m.Gaps), Check: checkAccount(p, m.Check)}
	if len(a.Gaps) == 0 && c.Outcome != candor.Complete {
		a.Gaps = []GapLine{{Text: p.T("gap.other"), Note: c.Reason}}
	}
	for _, s := range m.Shown {
		a.Shown = append(a.Shown, shownLine(p, s))
	}
	for _, s := range m.Steps {
		a.Steps = append(a.Steps, StepLine{stepName(p, s.Name), s.Outcome, s.Duration})
	}
	for _, b := range m.Behaviours {
		line := BehaviourLine{Name: b.Name, Version: b.Version, Untried: b.Unreviewed}
		for _, s := range b.Steps {
			step := BehaviourStep{StepLine{s.Name, s.Outcome, s.Duration}, true}
			if s.Outcome == candor.StepSkipped && (strings.HasPrefix(s.Detail, "nothing to ") || s.Detail == "no carousel") {
				step.Outcome = idle
			}
			if id := "opened." + strings.ReplaceAll(s.Name, " ", "_"); i18n.Has(id) {
				step.Name, step.Foreign = p.T(id), false
			}
			line.Steps = append(line.Steps, step)
		}
		a.Behaviours = append(a.Behaviours, line)
	}
	return a
}

// GapLines words gaps in the reader's language.
func GapLines(p Page, gaps []candor.Gap) []GapLine {
	var out []GapLine
	for _, g := range gaps {
		line := GapLine{Text: gapText(p, g)}
		if line.Text == "" || g.Code == candor.GapOther {
			line = GapLine{Text: p.T("gap.other"), Note: g.Text}
		}
		out = append(out, line)
	}
	return out
}

// gapText is the sentence of a gap; empty for a code we do not know yet.
func gapText(p Page, g candor.Gap) string {
	id := "gap." + string(g.Code)
	if !i18n.Has(id) {
		return ""
	}
	detail := g.Detail
	switch g.Code {
	case candor.GapBlocked:
		if detail == "consent" {
			id = "gap.blocked.consent"
		}
	case candor.GapSlow:
		detail = stepName(p, detail)
		if detail == p.T("stepname.other") {
			detail = ""
		}
	case candor.GapRendition:
		detail = RenditionName(p, detail)
	case candor.GapCheck:
		switch detail {
		case "text":
			return p.T("gap.check.text")
		case "requests":
			return p.T("gap.check.requests")
		case "undone":
			return p.T("gap.check.undone")
		}
		share, err := strconv.ParseFloat(detail, 64)
		if detail = ""; err == nil && share < 1 {
			detail = percent(p, share)
		}
	case candor.GapParts, candor.GapPartsDenied, candor.GapLimits, candor.GapTruncated:
		n, err := strconv.ParseInt(detail, 10, 64)
		if detail = ""; err == nil {
			detail = i18n.Number(p.Lang, n)
		}
	case candor.GapShown:
		n, of, ok := strings.Cut(detail, " of ")
		if detail = ""; ok {
			detail = p.T("shown.counts", "Shown", n, "Of", of)
		}
	case candor.GapUnreachable, candor.GapNoAnswer:
		detail = "" // the browser's own words, in English and for those who know them
	}
	return p.T(id, "Detail", detail)
}

// shownLine says how much of a thread the page showed.
func shownLine(p Page, s candor.Shown) string {
	what := "shown.posts"
	switch s.What {
	case "comments", "replies":
		what = "shown." + s.What
	}
	if s.Of <= 0 {
		return p.T(what+"_only", "Count", s.Shown)
	}
	return p.T(what, "Shown", i18n.Number(p.Lang, int64(s.Shown)), "Of", i18n.Number(p.Lang, int64(s.Of)))
}

// stepName is a step in words.
func stepName(p Page, name string) string {
	if name, found := strings.CutPrefix(name, "rendition_"); found {
		return p.T("stepname.rendition", "Name", RenditionName(p, name))
	}
	name, again := strings.CutSuffix(name, "_after_scroll")
	id := "stepname." + name
	if !i18n.Has(id) {
		id = "stepname.other"
	}
	if again {
		return p.T("stepname.after_scroll", "Step", p.T(id))
	}
	return p.T(id)
}

// RenditionName is a rendition in words.
func RenditionName(p Page, name string) string {
	switch name {
	case string(candor.Desktop), string(candor.Mobile), candor.RenditionCleaned:
		return p.T("rendition." + name)
	}
	return p.T("rendition.other")
}

// percent writes a share so that it is never rounded to nothing or to all.
func percent(p Page, share float64) string {
	v := share * 100
	for digits := 1; digits <= 4; digits++ {
		if s := strconv.FormatFloat(v, 'f', digits, 64); strings.Trim(s, "0.") != "" && (v >= 100 || s != "100.0") {
			return p.T("check.percent", "Share", s)
		}
	}
	return p.T("check.tiny")
}

func checkAccount(p Page, c *candor.SelfCheck) *CheckAccount {
	if c == nil {
		return nil
	}
	a := &CheckAccount{Same: c.Differing == 0 && !c.SizeWrong && c.Requests == 0 && c.TextEqual, Took: c.Duration}
	switch {
	case c.SizeWrong:
		a.Result = p.T("check.size")
	case c.Differing == 0:
		a.Result = p.T("check.same")
	default:
		a.Result = p.T("check.differs", "Share", percent(p, c.Share()))
	}
	a.Text = p.T("check.text_equal")
	if !c.TextEqual {
		a.Text = p.T("check.text_differs")
	}
	if c.Requests > 0 {
		a.Network = p.T("check.requests", "Count", c.Requests)
	}
	for i, r := range c.Regions {
		cause := "cause." + r.Cause
		if r.Cause == "" || !i18n.Has(cause) {
			cause = "cause.unknown"
		}
		a.Regions = append(a.Regions, RegionLine{N: i + 1, Box: r.Box, Text: p.T("check.region", "Left", i18n.Number(p.Lang, int64(r.Box[0])),
			"Top", i18n.Number(p.Lang, int64(r.Box[1])), "Width", i18n.Number(p.Lang, int64(r.Box[2])), "Height", i18n.Number(p.Lang, int64(r.Box[3])),
			"Cause", p.T(cause))})
	}
	return a
}
