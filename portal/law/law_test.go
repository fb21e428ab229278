package law_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/law"
)

func central(t *testing.T, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// Every date here was counted by hand on a wall calendar; the comment is the
// count. Square brackets hold days that do not count.
func TestTexasDatesWorkedOutByHand(t *testing.T) {
	cases := []struct {
		name       string
		clock      string
		received   string // on the agency's wall clock
		designated []candor.Date
		optional   bool
		due        candor.Date
	}{
		// Wed 19 Nov 2025 is day 0. 20 21 | 24 25 26 [27 Thanksgiving, 28 Friday after] | Dec 1 2 3 4 5 = 10.
		{"Thanksgiving and the Friday after", "tx.ag_request", "2025-11-19 10:00", nil, false, "2025-12-05"},
		// ... 5 Dec is 10; 8 9 10 11 12 = 15.
		{"the brief is five business days later", "tx.ag_brief", "2025-11-19 10:00", nil, false, "2025-12-12"},
		// Mon 15 Jun 2026. 16 17 18 [19 Juneteenth] | 22 23 24 25 26 | 29 30 = 10.
		{"Juneteenth", "tx.ag_request", "2026-06-15 09:00", nil, false, "2026-06-30"},
		// Mon 9 Mar 2026. 10 11 12 13 | [16 17 designated] 18 19 20 | 23 24 25 = 10.
		{"two designated days", "tx.ag_request", "2026-03-09 09:00", []candor.Date{"2026-03-16", "2026-03-17"}, false, "2026-03-25"},
		// Sat 7 Mar 2026 is day 0. 9 10 11 12 13 | 16 17 18 19 20 = 10.
		{"received on a Saturday", "tx.ag_request", "2026-03-07 12:00", nil, false, "2026-03-20"},
		// Thu 5 Mar 2026, 11:30 pm (already Friday in UTC). 6 | 9 10 11 12 13 | 16 17 18 19 = 10.
		{"received late in the evening counts from the local day", "tx.ag_request", "2026-03-05 23:30", nil, false, "2026-03-19"},
		// Fri 18 Dec 2026. 21 22 23 [24, 25] | 28 29 30 31 [1 Jan] | 4 5 6 = 10. (26 Dec is a Saturday anyway.)
		{"Christmas Eve, Christmas and New Year", "tx.no_records_notice", "2026-12-18 09:00", nil, false, "2027-01-06"},
		// Fri 9 Oct 2026. 12 (Columbus Day counts) 13 14 15 16 | 19 20 21 22 23 = 10.
		{"Columbus Day is a business day", "tx.cannot_produce_notice", "2026-10-09 09:00", nil, false, "2026-10-23"},
		// Wed 1 Apr 2026. 2 3 | 6 7 8 9 10 | 13 14 15 = 10.
		{"Good Friday not observed", "tx.ag_request", "2026-04-01 09:00", nil, false, "2026-04-15"},
		// Wed 1 Apr 2026. 2 [3 Good Friday] | 6 7 8 9 10 | 13 14 15 16 = 10.
		{"Good Friday observed", "tx.ag_request", "2026-04-01 09:00", nil, true, "2026-04-16"},
		// Thu 15 Jan 2026. 16 | [19 both King and Confederate Heroes] 20 21 22 23 | 26 27 28 29 30 = 10.
		{"two holidays on one Monday", "tx.ag_request", "2026-01-15 09:00", nil, false, "2026-01-30"},
		// Fri 22 May 2026. [25 Memorial Day] 26 27 28 29 | Jun 1 2 3 4 5 | 8 = 10.
		{"the last Monday of May", "tx.ag_request", "2026-05-22 09:00", nil, false, "2026-06-08"},
	}
	profile, err := law.Load("us-tx")
	if err != nil {
		t.Fatal(err)
	}
	zone, _ := time.LoadLocation("America/Chicago")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cal := candor.Calendar{Holidays: profile.Holidays, Designated: c.designated, Optional: c.optional, Zone: zone}
			at := central(t, c.received)
			events := []candor.Event{{Kind: candor.EvSubmitted, At: at}}
			for _, clock := range candor.Clocks(profile, cal, events, candor.DateOf(at, zone)) {
				if clock.Rule.ID == c.clock {
					if clock.Due != c.due {
						t.Errorf("due %s, want %s; ledger %v", clock.Due, c.due, clock.Ledger)
					}
					return
				}
			}
			t.Fatalf("no clock %s ran", c.clock)
		})
	}
}

func TestMainClockIsTheRulingDeadline(t *testing.T) {
	p, err := law.Load("us-tx")
	if err != nil {
		t.Fatal(err)
	}
	if p.Version() != "us-tx@2025-09-01" {
		t.Errorf("version %s", p.Version())
	}
	for _, c := range p.Clocks {
		if c.Main != (c.ID == "tx.ag_request") {
			t.Errorf("clock %s: main is %v", c.ID, c.Main)
		}
		if c.Reviewed {
			t.Errorf("clock %s claims an attorney's review nobody gave", c.ID)
		}
	}
}

func TestAgencyCopyReplacesTheEmbeddedProfile(t *testing.T) {
	dir := t.TempDir()
	own := "key: us-tx\neffective: 2027-09-01\ntitle: Changed\nclocks:\n  - {id: tx.ag_request, main: true, start: [submitted], n: 7, unit: business, cite: x}\n"
	if err := os.WriteFile(filepath.Join(dir, "us-tx.yaml"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := law.Library{Dir: dir}.Load("us-tx")
	if err != nil {
		t.Fatal(err)
	}
	if p.Version() != "us-tx@2027-09-01" || p.Clocks[0].N != 7 {
		t.Errorf("the agency's copy was not used: %+v", p)
	}
}

func TestMistakesAreNamedInOneLine(t *testing.T) {
	head := "key: us-xx\neffective: 2025-09-01\ntitle: T\n"
	clock := "clocks:\n  - {id: xx.a, main: true, start: [submitted], n: 10, unit: business, cite: c}\n"
	cases := []struct{ name, text, want string }{
		{"misspelt field", head + "holydays: []\n" + clock, "holydays"},
		{"no such day", head + "holidays:\n  - {id: a, kind: state, month: 2, day: 30}\n" + clock, "day 30"},
		{"fifth Thursday", head + "holidays:\n  - {id: a, kind: state, month: 2, weekday: thursday, nth: 5}\n" + clock, "nth"},
		{"unknown kind", head + "holidays:\n  - {id: a, kind: bank, month: 2, day: 3}\n" + clock, `kind "bank"`},
		{"bad date", head + "holidays:\n  - {id: a, kind: optional, on: [2026-02-30]}\n" + clock, "2026-02-30"},
		{"twice", head + "holidays:\n  - {id: a, kind: state, month: 2, day: 3}\n  - {id: a, kind: state, month: 2, day: 4}\n" + clock, "twice"},
		{"unknown event", head + strings.Replace(clock, "submitted", "sent", 1), `no event "sent"`},
		{"unknown unit", head + strings.Replace(clock, "business", "working", 1), `unit "working"`},
		{"no main clock", head + strings.Replace(clock, "main: true, ", "", 1), "main: true"},
		{"no length", head + strings.Replace(clock, "n: 10", "n: 0", 1), "n 0"},
		{"no cite", head + strings.Replace(clock, "cite: c", "cite: ''", 1), "cite"},
		{"no date", strings.Replace(head, "2025-09-01", "soon", 1) + clock, "effective"},
		{"not yaml", "key: [", "us-xx.yaml"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := law.Parse("us-xx.yaml", []byte(c.text))
			if !candor.IsKind(err, candor.Invalid) {
				t.Fatalf("got %v, want an invalid error", err)
			}
			if msg := err.Error(); !strings.Contains(msg, c.want) || !strings.HasPrefix(msg, "us-xx.yaml: ") || strings.Contains(msg, "\n") {
				t.Errorf("message %q should name %q in one line", msg, c.want)
			}
		})
	}
}

func TestUnknownJurisdictionIsNotFound(t *testing.T) {
	if _, err := law.Load("us-zz"); !candor.IsKind(err, candor.NotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := law.Load("../../etc/passwd"); !candor.IsKind(err, candor.Invalid) {
		t.Errorf("a path is not a jurisdiction: %v", err)
	}
}
