package view

import (
	"strconv"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// AgreementAccount is in the reader's words what came out when a captured page
// was compared with what the platform's data says.
type AgreementAccount struct {
	Icon     string
	Result   string
	Began    time.Time // what the data had said by then was compared
	Lines    []AgreementLine
	Findings []AgreementFinding // the mismatches
	NotShown []AgreementFinding // comments on the part of the thread that the page does not show
	Absent   int                // how many of them there are, listed or not
	Unlisted int                // mismatches that are not listed
}

// AgreementLine is one thing that was compared.
type AgreementLine struct {
	Label, Icon, Text string
}

// AgreementFinding is one thing found, with both sides in quotation.
type AgreementFinding struct {
	candor.AgreementFinding
	Text   string
	Data   string
	Quoted bool // Data is the record's own words
}

// NewAgreement words a comparison for the page of its capture.
func NewAgreement(p Page, a candor.Agreement, c candor.Capture) *AgreementAccount {
	out := &AgreementAccount{Began: c.StartedAt, Absent: a.NotShown}
	line := func(label string, m candor.Match, id string, args ...any) {
		out.Lines = append(out.Lines, AgreementLine{p.T(label), matchIcon(m), p.T(id, args...)})
	}
	words := "agreement.words." + string(a.Words)
	if a.Words == candor.MatchPart && a.Share == 100 {
		words = "agreement.words_between"
	}
	line("agreement.words", a.Words, words, "Share", a.Share)
	line("agreement.author", a.Author, "agreement.author."+string(a.Author))
	line("agreement.posted", a.Posted, "agreement.posted."+string(a.Posted))
	line("agreement.comments", a.Comments, "agreement.comments."+string(a.Comments), "Counted", a.Counted, "Known", i18n.Number(p.Lang, int64(a.Known)))
	shown, found := candor.MatchFound, "agreement.found"
	switch {
	case a.Known == 0:
		shown, found = candor.MatchNotShown, "agreement.found_none"
	case a.Missing+a.Old+a.Differing > 0:
		shown = candor.MatchAbsent
	case a.Found < a.Known:
		shown = candor.MatchNotShown
	}
	line("agreement.thread", shown, found, "Count", a.Known, "Found", i18n.Number(p.Lang, int64(a.Found)))
	listed := 0
	for _, f := range a.Findings {
		x := AgreementFinding{AgreementFinding: f, Data: f.Data, Quoted: true}
		switch {
		case f.Kind == candor.FoundNotShown:
			out.NotShown = append(out.NotShown, x)
			continue
		case !f.Kind.Mismatch():
			continue // said by its line
		}
		listed++
		x.Text = p.T("agreement.finding."+string(f.Kind), "Share", f.Share)
		if f.Kind == candor.FoundDiffering && f.Share == 100 {
			x.Text = p.T("agreement.finding_between")
		}
		if n, err := strconv.Atoi(f.Data); err == nil && f.Kind == candor.FoundFewer {
			x.Data, x.Quoted = p.T("agreement.known", "Count", n), false
		}
		if at, err := time.Parse(time.RFC3339, f.Data); err == nil && f.Kind == candor.FoundTime {
			x.Data, x.Quoted = i18n.DateTime(p.Lang, at, p.Zone), false
		}
		out.Findings = append(out.Findings, x)
	}
	out.Unlisted = a.Mismatches - listed
	switch {
	case a.Mismatches > 0:
		out.Icon, out.Result = "warning", p.T("agreement.differs", "Count", a.Mismatches)
	case a.Words == candor.MatchUnknown && a.Found == 0:
		out.Icon, out.Result = "help", p.T("agreement.doubt")
	default:
		out.Icon, out.Result = "check", p.T("agreement.same")
	}
	return out
}

// matchIcon is the pictogram beside the words for how something stands on the
// screen.
func matchIcon(m candor.Match) string {
	switch m {
	case candor.MatchFound, candor.MatchCut:
		return "check"
	case candor.MatchPart, candor.MatchOld, candor.MatchAbsent, candor.MatchFewer:
		return "warning"
	case candor.MatchUnknown:
		return "help"
	}
	return "info"
}
