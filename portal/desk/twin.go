package desk

import (
	_ "embed"
	"html/template"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// twinPage is the text twin of a production: one page that opens offline and
// says in words everything the pictures show.
type twinPage struct {
	Lang    string
	Zone    *time.Location
	Agency  candor.Agency
	Request candor.Request
	At      time.Time
	Records []twinRecord
}

type twinRecord struct {
	N        int
	View     candor.RecordView
	Capture  *candor.Capture
	Files    []candor.ProductionItem
	Attached map[string]candor.ProductionItem // by attachment id
}

//go:embed twin.html
var twinSource string

var twinTemplate = template.Must(template.New("twin").Parse(twinSource))

// T is a sentence in the page's language.
func (p twinPage) T(id string, args ...any) string { return i18n.T(p.Lang, id, args...) }

// Exact is a time to the second, on the agency's clock.
func (p twinPage) Exact(t time.Time) string { return i18n.Exact(p.Lang, t, p.Zone) }

// Bytes is a size as people read it.
func (p twinPage) Bytes(n int64) string { return i18n.Bytes(p.Lang, n) }

// State and Outcome are words of ours for words of the archive's.
func (p twinPage) State(s candor.RecordState) string {
	return stateWord(p.Lang, "production.state.", string(s))
}

// Outcome is the word for how a capture ended.
func (p twinPage) Outcome(o candor.Outcome) string {
	return stateWord(p.Lang, "production.outcome.", string(o))
}

// Safe is a link only when it is one a browser may follow.
func (p twinPage) Safe(u string) bool {
	return len(u) > 8 && (u[:8] == "https://" || u[:7] == "http://")
}
