package candor

import "time"

// Trouble is what the visits of a source have met since the last one that went
// well. It begins with the first visit that stops short and ends with the next
// that does not.
type Trouble struct {
	SourceID string
	Since    time.Time // of the first visit that stopped short
	Until    time.Time // of the visit that went well again; zero while it lasts
	GoodAt   time.Time // of the last visit before that went well; zero: there was none
	LastAt   time.Time // of the newest visit that stopped short
	Visits   int       // that stopped short
	Reason   GapReason // of the newest one; a loss of access stays one until it is over
	LostAt   time.Time // since when our access is lost; zero: it is not, as far as we know
	Told     int       // how many steps of the schedule of notices were told; 0 again once its end was
}

// Lost reports whether nothing helps but that someone gives us access again.
func (t Trouble) Lost() bool { return !t.LostAt.IsZero() }

// Meet is the trouble after one more visit of its source that stopped short.
//
// A refused token is a loss of access at once. Access that is denied is one
// when the visit read nothing at all, or when the visit before met the same: a
// single post that vanishes while it is being read must alarm nobody.
func (t Trouble) Meet(v Sweep) Trouble {
	reason := v.StoppedBy()
	nothing := len(v.Changes)+len(v.Seen) == 0
	lost := reason == GapToken || reason == GapAccess && (nothing || t.Reason == GapAccess)
	if t.Since.IsZero() {
		t.SourceID, t.Since = v.SourceID, v.At
	}
	t.LastAt = v.At
	t.Visits++
	if lost && !t.Lost() {
		t.LostAt, t.Told = v.At, 0 // whoever was told of something else is told of this
	}
	if lost || !t.Lost() {
		t.Reason = reason
	}
	return t
}

// StoppedBy is why a visit stopped short; empty when it did not.
func (v Sweep) StoppedBy() GapReason {
	switch n := len(v.Gaps); {
	case v.Error == "":
		return ""
	case n == 0:
		return GapPlatform
	default:
		return known(v.Gaps[n-1].Reason) // what ended it comes last
	}
}

// The schedule of notices, in days. A loss of access is told at once, then
// again on these days and from then on every week, for as long as it lasts.
// Other trouble often passes by itself and is told after a day at the
// earliest. The end of a token is told beforehand.
var (
	lossDays   = []int{0, 1, 3, 7}
	otherDays  = []int{1, 3, 7}
	expiryDays = []int{14, 7, 1}
)

const (
	week       = 7 * 24 * time.Hour
	otherLeast = 2 // visits that must have met other trouble before it is told
)

// Steps is how many steps of the schedule have come by now. A notice is due
// when it is more than Told; steps that passed while nobody could tell them are
// told as one.
func (t Trouble) Steps(now time.Time) int {
	days, from := lossDays, t.LostAt
	if !t.Lost() {
		if days, from = otherDays, t.Since; t.Visits < otherLeast {
			return 0
		}
	}
	n, passed := 0, now.Sub(from)
	for _, d := range days {
		if passed >= time.Duration(d)*24*time.Hour {
			n++
		}
	}
	if last := time.Duration(days[len(days)-1]) * 24 * time.Hour; passed > last {
		n += int((passed - last) / week)
	}
	return n
}

// ExpirySteps is how many reminders of a token's end have come on a day.
func ExpirySteps(expires, today Date) int {
	n := 0
	for _, d := range expiryDays {
		if expires.Valid() && today >= expires.Add(-d) {
			n++
		}
	}
	return n
}

// ExpiryFirst is how many days before a token's end the first reminder goes out.
var ExpiryFirst = expiryDays[0]

// DaysUntil counts the days from one day to another; below zero when it has
// passed.
func (d Date) DaysUntil(other Date) int { return int(other.Time().Sub(d.Time()).Hours() / 24) }

// NoticeKind says what a notice tells.
type NoticeKind string

// The kinds of notice.
const (
	NoticeLost    NoticeKind = "lost"    // access is lost: someone has to act
	NoticeFailing NoticeKind = "failing" // visits have been stopping short for another reason
	NoticeBack    NoticeKind = "back"    // visits go well again
	NoticeExpires NoticeKind = "expires" // the access token ends soon
)

// NoticeKinds lists all kinds.
var NoticeKinds = []NoticeKind{NoticeLost, NoticeFailing, NoticeBack, NoticeExpires}

// Notice is one mail about how a source stands, to one person.
type Notice struct {
	Kind     NoticeKind
	To       string // email address
	Name     string // of the person; empty when not known
	Language string // of the person; empty when not known
	Owner    bool   // they are the source's owner, not an administrator who stands in
	Agency   Agency
	Source   Source
	Trouble  Trouble // zero for NoticeExpires
	Found    int     // with NoticeBack: records from the time of the trouble that could still be read
	At       time.Time
}
