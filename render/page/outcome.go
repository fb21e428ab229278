package page

import (
	"slices"
	"strings"

	"github.com/candor-archive/candor"
)

// doubts collects what keeps a capture from being complete.
type doubts struct{ gaps []candor.Gap }

// fail notes that what was wanted is not in the capture; detail is a fact for
// whoever words it, text the whole in English.
func (d *doubts) fail(code candor.GapCode, detail, text string) {
	d.add(candor.Gap{Code: code, Fatal: true, Detail: detail, Text: text})
}

// partial notes that something of it is not there.
func (d *doubts) partial(code candor.GapCode, detail, text string) {
	d.add(candor.Gap{Code: code, Detail: detail, Text: text})
}

func (d *doubts) add(g candor.Gap) {
	if !slices.ContainsFunc(d.gaps, func(o candor.Gap) bool { return o.Text == g.Text }) {
		d.gaps = append(d.gaps, g)
	}
}

func (d *doubts) fatal() bool {
	return slices.ContainsFunc(d.gaps, func(g candor.Gap) bool { return g.Fatal })
}

// failedBy reports whether a code is the only one that makes the capture fail.
func (d *doubts) failedBy(code candor.GapCode) bool {
	return d.fatal() && !slices.ContainsFunc(d.gaps, func(g candor.Gap) bool { return g.Fatal && g.Code != code })
}

// clearness orders what makes a capture fail: of several, the first found here
// is the one that explains the others.
var clearness = []candor.GapCode{candor.GapRefused, candor.GapCrashed, candor.GapNotVisited, candor.GapUnreachable, candor.GapNoAnswer,
	candor.GapRateLimited, candor.GapChallenge, candor.GapLoginWall, candor.GapBlocked, candor.GapStatus, candor.GapSoftMissing, candor.GapEmpty}

// consequences are gaps that say nothing of their own once the page is known not
// to have come.
var consequences = []candor.GapCode{candor.GapBlank, candor.GapParts, candor.GapPartsDenied, candor.GapShown}

// outcome sums the gaps up. At most one is fatal, and it comes first.
func (d *doubts) outcome() (o candor.Outcome, reason string, gaps []candor.Gap) {
	var worst *candor.Gap
	for i, g := range d.gaps {
		switch {
		case !g.Fatal:
			gaps = append(gaps, g)
		case worst == nil || rank(g.Code) < rank(worst.Code):
			worst = &d.gaps[i]
		}
	}
	o = candor.Partial
	if worst != nil {
		o = candor.Failed
		gaps = slices.DeleteFunc(gaps, func(g candor.Gap) bool {
			return g.Code == worst.Code || rank(worst.Code) <= rank(candor.GapNoAnswer) && slices.Contains(consequences, g.Code)
		})
		gaps = slices.Insert(gaps, 0, *worst)
	}
	if len(gaps) == 0 {
		return candor.Complete, "", nil
	}
	texts := make([]string, len(gaps))
	for i, g := range gaps {
		texts[i] = g.Text
	}
	return o, strings.Join(texts, "; "), gaps
}

func rank(code candor.GapCode) int {
	if i := slices.Index(clearness, code); i >= 0 {
		return i
	}
	return len(clearness)
}
