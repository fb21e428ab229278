package candor

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

var central = mustZone("America/Chicago")

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// texas is a small calendar with one rule of each shape; the real profile is
// data in portal/law and is tested there.
var texas = Calendar{Zone: central, Holidays: []HolidayRule{
	{Name: "thanksgiving", Month: time.November, Weekday: time.Thursday, Nth: 4, Kind: "national"},
	{Name: "friday_after", Month: time.November, Weekday: time.Thursday, Nth: 4, Offset: 1, Kind: "state"},
	{Name: "memorial", Month: time.May, Weekday: time.Monday, Nth: -1, Kind: "national"},
	{Name: "christmas", Month: time.December, Day: 25, Kind: "national"},
	{Name: "good_friday", On: []Date{"2026-04-03"}, Kind: "optional"},
}}

func TestBusinessDays(t *testing.T) {
	designated := texas
	designated.Designated = []Date{"2026-11-24"}
	observing := texas
	observing.Optional = true
	for _, c := range []struct {
		name string
		cal  Calendar
		from Date
		n    int
		want Date
	}{
		// Sun 22 Nov: Mon 23, Tue 24, Wed 25 count; Thu 26 and Fri 27 do not; Mon 30 is the 4th;
		// Tue 1 to Tue 8 Dec bring the 5th to the 10th (weekend 5-6 skipped).
		{"over Thanksgiving", texas, "2026-11-22", 10, "2026-12-08"},
		// the same with Tue 24 Nov designated: one day later
		{"designated day", designated, "2026-11-22", 10, "2026-12-09"},
		{"one day across a weekend", texas, "2026-11-20", 1, "2026-11-23"},
		// Memorial Day 2026 is Mon 25 May; Fri 22 -> Tue 26
		{"last Monday of May", texas, "2026-05-22", 1, "2026-05-26"},
		{"optional not observed", texas, "2026-04-02", 1, "2026-04-03"},
		{"optional observed", observing, "2026-04-02", 1, "2026-04-06"},
		{"leap day counts", texas, "2028-02-28", 1, "2028-02-29"},
	} {
		got, ledger := c.cal.Count(c.from, c.n, "business")
		if got != c.want {
			t.Errorf("%s: %d business days from %s = %s, want %s", c.name, c.n, c.from, got, c.want)
		}
		if last := ledger[len(ledger)-1]; last.N != c.n || last.Date != got {
			t.Errorf("%s: ledger ends with %+v", c.name, last)
		}
	}
	if got, _ := texas.Count("2026-11-22", 10, "calendar"); got != "2026-12-02" {
		t.Errorf("10 calendar days = %s", got)
	}
}

func TestDateOfIsTheAgencysDay(t *testing.T) {
	// 04:30 UTC on the 23rd is still 22:30 on the 22nd in Texas.
	if got := DateOf(time.Date(2026, 11, 23, 4, 30, 0, 0, time.UTC), central); got != "2026-11-22" {
		t.Errorf("got %s", got)
	}
}

func TestClocksRestartWithFullLengthAndAreSatisfied(t *testing.T) {
	law := LawProfile{Clocks: []ClockRule{{ID: "ruling", N: 10, Unit: "business",
		Start: []EventKind{EvSubmitted}, Restart: []EventKind{EvMessageIn}, SatisfiedBy: []EventKind{EvReleased}}}}
	at := func(d Date) time.Time { return d.Time().Add(6 * time.Hour) }
	events := []Event{{Kind: EvSubmitted, At: at("2026-03-02")}}
	clocks := Clocks(law, texas, events, "2026-03-03")
	if len(clocks) != 1 || clocks[0].Due != "2026-03-16" || clocks[0].Left != 9 || clocks[0].Late("2026-03-16") || !clocks[0].Late("2026-03-17") {
		t.Fatalf("started: %+v", clocks)
	}
	events = append(events, Event{Kind: EvMessageIn, At: at("2026-03-13")})
	clocks = Clocks(law, texas, events, "2026-03-13")
	if clocks[0].From != "2026-03-13" || clocks[0].Due != "2026-03-27" {
		t.Fatalf("restarted: %+v", clocks[0])
	}
	events = append(events, Event{Kind: EvReleased, At: at("2026-03-20")})
	if c := Clocks(law, texas, events, "2026-04-30")[0]; c.Late("2026-04-30") {
		t.Fatalf("satisfied clock is late: %+v", c)
	}
	if len(Clocks(law, texas, nil, "2026-03-03")) != 0 {
		t.Fatal("a clock ran before its event")
	}
}

func TestStepFollowsTheTable(t *testing.T) {
	r := Request{Number: "LPD-2026-000001", Stage: Searching}
	if _, err := r.Step(EvApproved); !IsKind(err, Conflict) {
		t.Errorf("approving while searching: %v", err)
	}
	tr, err := r.Step(EvMarked)
	if err != nil || tr.To != Reviewing {
		t.Errorf("marking: %+v %v", tr, err)
	}
	if _, err := r.Step("no_such_event"); !IsKind(err, Invalid) {
		t.Errorf("unknown event: %v", err)
	}
	seen := map[EventKind]bool{}
	for _, tr := range Transitions {
		if seen[tr.Event] {
			t.Errorf("%s has two rows", tr.Event)
		}
		seen[tr.Event] = true
		if tr.Needs == "" {
			t.Errorf("%s needs no permission", tr.Event)
		}
	}
}

func TestAllowRefusesWhatItDoesNotName(t *testing.T) {
	officer := Principal{Kind: Staff, UserID: "o", Roles: []Role{Officer}}
	comms := Principal{Kind: Staff, UserID: "c", Roles: []Role{Comms}}
	holder := Principal{Kind: Requester, RequestID: "r1"}
	nobody := Principal{Kind: Visitor}
	for _, c := range []struct {
		name string
		p    Principal
		do   Permission
		on   Target
		want bool
	}{
		{"anyone reads public bytes", nobody, MayRead, Target{Visibility: Public}, true},
		{"nobody reads staff bytes", nobody, MayRead, Target{Visibility: StaffOnly}, false},
		{"no visibility is the narrowest", nobody, MayRead, Target{}, false},
		{"requester reads what was released to them", holder, MayRead, Target{RequestID: "r1", Released: true}, true},
		{"not before it is released", holder, MayRead, Target{RequestID: "r1"}, false},
		{"not another's", holder, MayRead, Target{RequestID: "r2", Released: true}, false},
		{"an empty link opens nothing", Principal{Kind: Requester}, MayRead, Target{Released: true}, false},
		{"an empty link follows nothing", Principal{Kind: Requester}, MayFollowRequest, Target{}, false},
		{"preparer cannot approve", officer, MayApproveRelease, Target{PreparedBy: "o"}, false},
		{"another officer can", officer, MayApproveRelease, Target{PreparedBy: "x"}, true},
		{"comms cannot close", comms, MayClose, Target{}, false},
		{"visitor with roles is still a visitor", Principal{Kind: Visitor, Roles: []Role{Admin}}, MayManageUsers, Target{}, false},
		{"unknown permission", officer, "made.up", Target{}, false},
	} {
		if got := Allow(c.p, c.do, c.on); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestErrorsKeepKindAndCause(t *testing.T) {
	err := Errorf(NotFound, "open object: %w", io.EOF)
	if KindOf(err) != NotFound || !errors.Is(err, io.EOF) || err.Error() != "open object: EOF" {
		t.Errorf("%v %v", KindOf(err), err)
	}
	if KindOf(io.EOF) != "" {
		t.Error("a plain error has a kind")
	}
}

func TestIDsAreReadableAndLong(t *testing.T) {
	id, secret := NewID(), NewSecret()
	if len(id) != 26 || len(secret) != 52 || strings.ToLower(id) != id || id == NewID() {
		t.Errorf("id %q secret %q", id, secret)
	}
}

func TestContentHashIgnoresSignaturesOfMediaAddresses(t *testing.T) {
	a := []Attachment{{Type: "photo", URL: "https://x/y.jpg?sig=1", Alt: "a"}}
	b := []Attachment{{Type: "photo", URL: "https://x/y.jpg?sig=2", Alt: "a"}}
	c := []Attachment{{Type: "photo", URL: "https://x/y.jpg?sig=2", Alt: "b"}}
	if HashContent("t", a) != HashContent("t", b) || HashContent("t", a) == HashContent("t", c) {
		t.Error("hash follows the wrong things")
	}
}

func TestEvidenceBodiesDoNotDependOnZoneOrPrecision(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 123456789, central)
	here := Tombstone{ID: "t", NotBefore: at}
	there := Tombstone{ID: "t", NotBefore: Moment(at)}
	if string(here.EvidenceBody()) != string(there.EvidenceBody()) {
		t.Errorf("%s\n%s", here.EvidenceBody(), there.EvidenceBody())
	}
}
