package storage

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

func filing(words string) (candor.Filing, string) {
	link := candor.NewSecret()
	return candor.Filing{
		Request:  candor.Request{ID: candor.NewID(), Language: "es", Text: words, Name: "María", Email: "maria@example.org", Channel: "portal", Law: "us-tx@2025-09-01"},
		Message:  candor.Message{Body: words, Language: "es", Author: "María"},
		Event:    candor.Event{ActorKind: candor.Requester},
		LinkHash: candor.HashSecret(link),
		Mails: func(number string) []candor.Mail {
			return []candor.Mail{{To: "maria@example.org", Language: "es", Template: "received", Subject: number, Body: "Su enlace: https://x.example/r/" + link}}
		},
	}, link
}

func file(t *testing.T, s *Store) (candor.Request, string) {
	t.Helper()
	f, link := filing("Quiero los registros del cierre")
	q, err := s.FileRequest(t.Context(), f)
	must(t, err)
	return q, link
}

func TestARequestIsFiledWholeWithItsNumber(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, before := t.Context(), logSize(t, s)
		q, link := file(t, s)
		if want := fmt.Sprintf("LPD-%d-000001", time.Now().Year()); q.Number != want || q.Stage != candor.Received || q.ReceivedAt.IsZero() {
			t.Errorf("request %+v", q)
		}
		for name, read := range map[string]func() (candor.Request, error){
			"id":     func() (candor.Request, error) { return s.Request(ctx, q.ID) },
			"number": func() (candor.Request, error) { return s.RequestByNumber(ctx, q.Number) },
			"link":   func() (candor.Request, error) { return s.RequestByLink(ctx, candor.HashSecret(link)) },
		} {
			if got, err := read(); err != nil || got != q {
				t.Errorf("by %s: %+v, %v", name, got, err)
			}
		}
		f, err := s.RequestFile(ctx, q.ID)
		must(t, err)
		if len(f.Events) != 1 || f.Events[0].N != 1 || len(f.Messages) != 1 || len(f.Mails) != 1 {
			t.Fatalf("file %+v", f)
		}
		if strings.Contains(f.Mails[0].Body, link) {
			t.Error("the file shows the private link")
		}
		e, err := s.EvidenceEntry(ctx, before)
		must(t, err)
		if e.Subject != f.Events[0].ID || !bytes.Equal(e.Body, f.Events[0].EvidenceBody(f.Messages)) {
			t.Errorf("the rows are not what the log covers: %s", e.Body)
		}
		row, err := s.db.Reader().Mail(ctx, f.Mails[0].ID)
		must(t, err)
		if strings.Contains(row.Body, link) || !strings.Contains(row.Body, "https://x.example/r/") {
			t.Errorf("the database holds the private link in clear: %q", row.Body)
		}
		jobs := waitingMails(t, s)
		if len(jobs) != 1 || jobs[0].MailID != f.Mails[0].ID {
			t.Errorf("mail jobs %+v", jobs)
		}
		m, err := s.Mail(ctx, jobs[0].MailID)
		must(t, err)
		if !strings.Contains(m.Body, link) || m.Subject != q.Number {
			t.Errorf("mail %+v", m)
		}
		must(t, s.SetMailState(ctx, m.ID, "sent", "", time.Now()))
		out, err := s.Outbox(ctx, 10)
		must(t, err)
		if len(out) != 1 || out[0].State != "sent" || out[0].Attempts != 1 || out[0].SentAt.IsZero() || strings.Contains(out[0].Body, link) {
			t.Errorf("outbox %+v", out)
		}
	})
}

// What the public may know of a request is a type of its own: a page can't
// show more by mistake.
func TestThePublicKnowsARequestByItsSummaryOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		q, _ := file(t, s)
		if _, err := s.Public().Request(ctx, q.Number); !candor.IsKind(err, candor.NotFound) {
			t.Errorf("a request without a summary is known to the public: %v", err)
		}
		if _, err := s.Act(ctx, candor.Act{RequestID: q.ID, From: q.Stage, To: q.Stage, Summary: "Videos of 3 May",
			Event: candor.Event{Kind: candor.EvSummary, ActorKind: candor.Staff}}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Public().Request(ctx, q.Number)
		must(t, err)
		if got.Number != q.Number || got.Summary != "Videos of 3 May" || !got.ReceivedAt.Equal(q.ReceivedAt) {
			t.Errorf("the public knows %+v", got)
		}
	})
}

func TestTwentyRequestsAtOnceGetTwentyNumbers(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		seen := map[string]bool{}
		for range 20 {
			wg.Go(func() {
				f, _ := filing("words")
				q, err := s.FileRequest(t.Context(), f)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if seen[q.Number] {
					t.Errorf("%s was given twice", q.Number)
				}
				seen[q.Number] = true
			})
		}
		wg.Wait()
		if last := fmt.Sprintf("LPD-%d-000020", time.Now().Year()); !seen[last] {
			t.Errorf("no %s: there are gaps", last)
		}
		if list, err := s.Requests(t.Context(), candor.RequestFilter{Open: true, Limit: 5}); err != nil || len(list) != 5 {
			t.Errorf("list of %d, %v", len(list), err)
		}
	})
}

func TestARequestThatCannotBeFiledLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		q, link := file(t, s)
		before, mails := logSize(t, s), len(waitingMails(t, s))
		f, _ := filing("words")
		f.LinkHash = candor.HashSecret(link) // breaks after the request's row is written
		_, err := s.FileRequest(t.Context(), f)
		wantKind(t, err, candor.Conflict)
		if list, err := s.Requests(t.Context(), candor.RequestFilter{}); err != nil || len(list) != 1 || list[0].ID != q.ID {
			t.Errorf("requests %v, %v", list, err)
		}
		if logSize(t, s) != before || len(waitingMails(t, s)) != mails {
			t.Error("the log or the jobs know of it")
		}
		if next, _ := file(t, s); !strings.HasSuffix(next.Number, "000002") {
			t.Errorf("next number %s: the failed one used one up", next.Number)
		}
	})
}

// staffAct is one step by a member of staff.
func staffAct(q candor.Request, kind candor.EventKind, to candor.Stage) candor.Act {
	return candor.Act{RequestID: q.ID, From: q.Stage, To: to, Event: candor.Event{Kind: kind, ActorKind: candor.Staff, ActorID: "u1", Actor: "Ana"}}
}

func TestARequestGoesTheWholeRoadWithEveryStepCovered(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		post, _ := addThread(t, s, src)
		c := capture(t, s, post)
		q, _ := file(t, s)
		do := func(a candor.Act) {
			t.Helper()
			var err error
			if q, err = s.Act(ctx, a); err != nil {
				t.Fatalf("%s: %v", a.Event.Kind, err)
			}
		}
		a := staffAct(q, candor.EvAccepted, candor.Searching)
		a.AssigneeID = "u1"
		do(a)
		a = staffAct(q, candor.EvMarked, candor.Reviewing)
		a.Mark = []candor.ResponsiveRecord{{RecordID: post.ID, CaptureID: c.ID, MarkedBy: "u1"}}
		do(a)
		bundle, size, err := s.SealBundle(ctx, []candor.BundleFile{{Name: "a.txt", Data: []byte("a")}})
		must(t, err)
		shot := put(t, s, "png of "+c.ID)
		p := candor.Production{ID: candor.NewID(), PreparedBy: "u1", BundleSHA: bundle, BundleSize: size}
		a = staffAct(q, candor.EvProposed, candor.Approving)
		a.Production, a.Items = &p, []candor.ProductionItem{{RecordID: post.ID, CaptureID: c.ID, Kind: candor.Screenshot, Name: "1.png", SHA: shot, ParentSHA: shot}}
		do(a)
		// The one who prepared cannot approve, and then nothing has changed.
		size0 := logSize(t, s)
		a = staffAct(q, candor.EvApproved, candor.Releasing)
		approved := p
		approved.State, approved.ApprovedBy = candor.ProductionApproved, "u1"
		a.Production = &approved
		_, err = s.Act(ctx, a)
		wantKind(t, err, candor.Forbidden)
		if now, err := s.Request(ctx, q.ID); err != nil || now != q || logSize(t, s) != size0 {
			t.Fatalf("a refused act changed the request: %+v, %v", now, err)
		}
		approved.ApprovedBy = "u2"
		do(a)
		a = staffAct(q, candor.EvReleased, candor.Releasing)
		released := p
		released.State, released.BundleSHA = candor.ProductionReleased, shot // a sealed bundle can't be exchanged
		a.Production, a.Release = &released, &candor.Release{ProductionID: p.ID, By: "u1", To: "requester"}
		do(a)
		a = staffAct(q, candor.EvClosed, candor.Closed)
		_, err = s.Act(ctx, a)
		wantKind(t, err, candor.Invalid) // without a disposition
		a.Disposition = candor.ReleasedFull
		do(a)
		f, err := s.RequestFile(ctx, q.ID)
		must(t, err)
		if f.Request.Stage != candor.Closed || f.Request.ClosedAt.IsZero() || len(f.Events) != 7 || f.Events[6].N != 7 || f.Events[6].Law != "us-tx@2025-09-01" {
			t.Errorf("file %+v", f)
		}
		if len(f.Productions) != 1 || f.Productions[0].State != candor.ProductionReleased || f.Productions[0].BundleSHA != bundle || f.Productions[0].ApprovedBy != "u2" || len(f.Items) != 1 || len(f.Releases) != 1 || len(f.Responsive) != 1 {
			t.Errorf("file %+v", f)
		}
		covered := map[string][]byte{}
		for n := range logSize(t, s) {
			e, err := s.EvidenceEntry(ctx, n)
			must(t, err)
			covered[string(e.Kind)+e.Subject] = e.Body
		}
		want := map[string][]byte{"production" + p.ID: f.Productions[0].EvidenceBody(f.Items), "release" + f.Releases[0].ID: f.Releases[0].EvidenceBody()}
		for _, e := range f.Events[1:] {
			want["event"+e.ID] = e.EvidenceBody(nil)
		}
		for key, body := range want {
			if !bytes.Equal(covered[key], body) {
				t.Errorf("%s is stored as %s but covered as %s", key, body, covered[key])
			}
		}
		sound(t, s, dirOf(t, s))
		do(staffAct(q, candor.EvReopened, candor.Searching))
		if q.Disposition != candor.NoneYet || !q.ClosedAt.IsZero() {
			t.Errorf("reopened %+v", q)
		}
	})
}

func TestOfTwoWhoActOnOneStageOneIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		q, _ := file(t, s)
		var wg sync.WaitGroup
		results := make(chan error, 8)
		for range 8 {
			wg.Go(func() {
				_, err := s.Act(t.Context(), staffAct(q, candor.EvAccepted, candor.Searching))
				results <- err
			})
		}
		wg.Wait()
		close(results)
		done := 0
		for err := range results {
			switch {
			case err == nil:
				done++
			case !candor.IsKind(err, candor.Conflict):
				t.Error(err)
			}
		}
		if done != 1 {
			t.Errorf("%d of the eight succeeded, want 1", done)
		}
		if f, err := s.RequestFile(t.Context(), q.ID); err != nil || len(f.Events) != 2 {
			t.Errorf("events %v, %v", f.Events, err)
		}
	})
}

func TestAnActThatFailsLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		q, link := file(t, s)
		q, err := s.Act(ctx, staffAct(q, candor.EvAccepted, candor.Searching))
		must(t, err)
		before, mails := logSize(t, s), len(waitingMails(t, s))
		a := staffAct(q, candor.EvMarked, candor.Reviewing)
		a.Messages = []candor.Message{{Outgoing: true, Body: "we found it"}}
		a.Mark = []candor.ResponsiveRecord{{RecordID: "no such record"}}
		a.Mails = []candor.Mail{{To: "maria@example.org"}}
		_, err = s.Act(ctx, a)
		wantKind(t, err, candor.NotFound)
		a.Mark, a.LinkHash = nil, candor.HashSecret(link) // taken already: fails near the end
		_, err = s.Act(ctx, a)
		wantKind(t, err, candor.Conflict)
		a.LinkHash, a.To = "", candor.Approving // not where the event leads
		_, err = s.Act(ctx, a)
		wantKind(t, err, candor.Invalid)
		a.To, a.From = candor.Reviewing, candor.Received
		_, err = s.Act(ctx, a)
		wantKind(t, err, candor.Conflict)
		f, err := s.RequestFile(ctx, q.ID)
		must(t, err)
		if f.Request != q || len(f.Events) != 2 || len(f.Messages) != 1 || len(f.Mails) != 1 || logSize(t, s) != before || len(waitingMails(t, s)) != mails {
			t.Errorf("something of a failed act is there: %+v", f)
		}
		if _, err := s.RequestByLink(ctx, candor.HashSecret(link)); err != nil {
			t.Errorf("the private link no longer opens: %v", err)
		}
	})
}

func TestANewPrivateLinkReplacesTheOldAndWhatItOpened(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		q, old := file(t, s)
		must(t, s.SaveSession(ctx, candor.Session{Hash: "h", RequestID: q.ID, ExpiresAt: time.Now().Add(time.Hour)}))
		fresh := candor.NewSecret()
		a := candor.Act{RequestID: q.ID, From: q.Stage, Event: candor.Event{Kind: candor.EvNewLink, ActorKind: candor.Requester}, LinkHash: candor.HashSecret(fresh)}
		_, err := s.Act(ctx, a)
		must(t, err)
		_, err = s.RequestByLink(ctx, candor.HashSecret(old))
		wantKind(t, err, candor.NotFound)
		got, err := s.RequestByLink(ctx, candor.HashSecret(fresh))
		must(t, err)
		if got.ID != q.ID {
			t.Errorf("the new link opens %s", got.ID)
		}
		_, err = s.Session(ctx, "h")
		wantKind(t, err, candor.NotFound)
	})
}
