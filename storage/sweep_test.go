package storage

import (
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

func TestASweepKeepsEveryWordingAndAnswer(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		post, _ := addThread(t, s, src)
		sha := put(t, s, "answer one")
		answer := candor.Answer{URL: "https://api.example/posts", Method: "GET", Status: 200, SHA: sha, Size: 10}
		for range 2 {
			must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Answers: []candor.Answer{answer}}))
		}
		answers, err := s.db.Reader().Answers(ctx, src.ID)
		must(t, err)
		if len(answers) != 1 || answers[0].Times != 2 {
			t.Errorf("answers %+v, want one seen twice", answers)
		}
		edited := wording(post, "Road closure on Azalea Street until Friday")
		edited.Attachments = []candor.Attachment{{Type: "photo", URL: "https://cdn.example/1.jpg", Alt: "A barrier", SHA: put(t, s, "jpeg")}}
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{edited}, Account: &candor.Account{Platform: "facebook", PlatformID: "77", Name: "Larkspur Police"}}))
		v, err := s.Record(ctx, post.ID)
		must(t, err)
		if v.Record.State != candor.Edited || v.Record.Revisions != 2 || len(v.Revisions) != 2 || v.Revisions[0].N != 2 {
			t.Errorf("record %+v with revisions %+v", v.Record, v.Revisions)
		}
		if v.Account.Name != "Larkspur Police" || len(v.Attachments[v.Revisions[0].ID]) != 1 || len(v.Thread) != 1 || v.ThreadText[v.Thread[0].ID] == "" {
			t.Errorf("view %+v", v)
		}
		known, err := s.Known(ctx, src.ID, []string{post.UID, "never"})
		must(t, err)
		if len(known) != 1 || known[post.UID].ContentHash != v.Revisions[0].ContentHash {
			t.Errorf("known %+v", known)
		}
		// Words of both wordings are found.
		for _, words := range []string{"until friday", "azalea"} {
			got, err := s.Public().Search(ctx, candor.Query{Text: words})
			must(t, err)
			if got.Total != 1 || got.Hits[0].Record.ID != post.ID || got.Hits[0].Source.APIURL != "" {
				t.Errorf("search %q: %+v", words, got)
			}
		}
		// The same words again are no revision.
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{edited}}))
		if v, err = s.Record(ctx, post.ID); err != nil || len(v.Revisions) != 2 {
			t.Errorf("revisions after the same words: %d, %v", len(v.Revisions), err)
		}
	})
}

func TestASweepThatFailsLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		before, due := logSize(t, s), time.Now()
		post := candor.Record{ID: candor.NewID(), UID: "p", Kind: candor.Post, State: candor.Live}
		gone := candor.Record{ID: candor.NewID(), UID: "q", Kind: candor.Post, State: candor.Deleted} // without a tombstone
		err := s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, NextAt: due.Add(time.Hour),
			Answers:  []candor.Answer{{URL: "https://api.example/x", SHA: put(t, s, "x")}},
			Captures: []candor.CaptureSpec{{URL: "https://social.example/p"}},
			Changes:  []candor.Change{wording(post, "words"), {Record: gone}}})
		wantKind(t, err, candor.Invalid)
		if _, err := s.Record(ctx, post.ID); !candor.IsKind(err, candor.NotFound) {
			t.Errorf("the record is there: %v", err)
		}
		if n := logSize(t, s); n != before {
			t.Errorf("the log grew by %d", n-before)
		}
		if jobs := waitingCaptures(t, s); len(jobs) != 0 {
			t.Errorf("jobs %v", jobs)
		}
		if found, err := s.Search(ctx, candor.Query{Text: "words"}); err != nil || found.Total != 0 {
			t.Errorf("found %+v, %v", found, err)
		}
		// An answer whose bytes are not stored is refused before anything.
		err = s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Answers: []candor.Answer{{URL: "u", SHA: candor.SHA256([]byte("nowhere"))}}})
		wantKind(t, err, candor.Invalid)
	})
}

func TestASweepAsksForACaptureOncePerAddressAndProfile(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		ask := []candor.CaptureSpec{{URL: "https://social.example/1"}, {URL: "https://social.example/1"}, {URL: "https://social.example/2", Profile: candor.Mobile}}
		for i := range ask {
			if ask[i].Profile == "" {
				ask[i].Profile = candor.Desktop
			}
		}
		for range 2 {
			must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Captures: ask}))
		}
		jobs := waitingCaptures(t, s)
		if len(jobs) != 2 || jobs[0].Spec.ID == "" || jobs[0].Spec.SourceID != src.ID {
			t.Errorf("jobs %+v, want two", jobs)
		}
	})
}

func TestATombstoneStandsUntilTheRecordComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		_, comment := addThread(t, s, src)
		unseen, err := s.KnownUnseen(ctx, src.ID, time.Now().Add(time.Minute), 10)
		must(t, err)
		if len(unseen) != 2 {
			t.Fatalf("unseen %d, want 2", len(unseen))
		}
		gone := unseen[0].Record
		if gone.ID != comment.ID {
			gone = unseen[1].Record
		}
		gone.State = candor.Deleted
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{{Record: gone, Tombstone: &candor.Tombstone{How: "look-up said gone, twice", AnswerSHA: put(t, s, "error 100")}}}}))
		known, err := s.Known(ctx, src.ID, []string{comment.UID})
		must(t, err)
		if k := known[comment.UID]; !k.HasOpenTomb || k.Record.State != candor.Deleted {
			t.Errorf("known %+v", k)
		}
		gone.State = candor.Live
		before := logSize(t, s)
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{{Record: gone, Reappeared: true}}}))
		v, err := s.Record(ctx, comment.ID)
		must(t, err)
		if len(v.Tombstones) != 1 || v.Tombstones[0].ClosedAt.IsZero() || v.Record.State != candor.Live {
			t.Errorf("tombstones %+v of %+v", v.Tombstones, v.Record)
		}
		e, err := s.EvidenceEntry(ctx, before)
		must(t, err)
		if e.Kind != candor.EvidenceTombstone || string(e.Body) != string(v.Tombstones[0].EvidenceBody()) {
			t.Errorf("the closing is not covered as it is stored: %s", e.Body)
		}
	})
}

func TestWhatIsWithdrawnIsNotShownInEarlierCapturesUntilAllIsBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		post, comment := addThread(t, s, src)
		first := capture(t, s, post)
		if first.Visibility != candor.Public {
			t.Fatalf("a capture of a public thread is %s", first.Visibility)
		}
		seen := func(id string) bool {
			t.Helper()
			_, err := s.Public().Capture(ctx, id)
			if err != nil && !candor.IsKind(err, candor.NotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		if !seen(first.ID) {
			t.Fatal("the public capture is not shown")
		}
		to := func(r candor.Record, state candor.RecordState, tomb *candor.Tombstone) {
			t.Helper()
			r.State = state
			must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, Changes: []candor.Change{{Record: r, Tombstone: tomb}}}))
		}
		begun := specFor(post)
		m, dir := made(t, begun, "words on the screen")
		to(comment, candor.Hidden, nil)
		if seen(first.ID) {
			t.Error("a capture still shows everyone a hidden comment")
		}
		second, err := s.CommitCapture(ctx, begun, m, dir)
		must(t, err)
		if second.Visibility != candor.StaffOnly {
			t.Error("a capture begun before the hiding and finished after it is public")
		}
		third := capture(t, s, post)
		if third.Visibility != candor.Public || !seen(third.ID) {
			t.Error("a capture begun after the hiding, which does not show the comment, is withheld")
		}
		if found, err := s.Public().Search(ctx, candor.Query{Text: "long last"}); err != nil || found.Total != 0 {
			t.Errorf("the hidden comment is found: %+v, %v", found, err)
		}
		if found, err := s.Search(ctx, candor.Query{Text: "long last"}); err != nil || found.Total != 1 {
			t.Errorf("staff do not find it: %+v, %v", found, err)
		}
		v, err := s.Public().Record(ctx, comment.ID)
		must(t, err)
		if v.Record.State != candor.Hidden || v.Record.Author != "" || v.Record.UID != "" || len(v.Revisions)+len(v.Captures)+len(v.Thread) != 0 {
			t.Errorf("a hidden record shows everyone %+v", v)
		}
		if v, err = s.Public().Record(ctx, post.ID); err != nil || len(v.Thread) != 0 || len(v.Captures) != 1 || v.Captures[0].ID != third.ID {
			t.Errorf("the post's thread shows everyone %+v and %d captures, %v", v.Thread, len(v.Captures), err)
		}
		to(post, candor.Deleted, &candor.Tombstone{How: "gone"})
		to(comment, candor.Live, nil)
		if seen(first.ID) || seen(second.ID) || seen(third.ID) {
			t.Error("captures are shown while the post is deleted")
		}
		to(post, candor.Live, nil)
		if !seen(first.ID) || !seen(second.ID) {
			t.Error("captures stay withheld though everything is back")
		}
	})
}

func TestWhatWasNeverPublicDoesNotExistForEveryone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, false)
		post, _ := addThread(t, s, src)
		c := capture(t, s, post)
		byHand := capture(t, s, candor.Record{})
		_, err := s.Public().Record(ctx, post.ID)
		wantKind(t, err, candor.NotFound)
		for _, id := range []string{c.ID, byHand.ID} {
			_, err = s.Public().Capture(ctx, id)
			wantKind(t, err, candor.NotFound)
			_, _, err = s.Public().OpenArtefact(ctx, id, candor.Screenshot)
			wantKind(t, err, candor.NotFound)
		}
		if list, err := s.Public().Recent(ctx, 10); err != nil || len(list) != 0 {
			t.Errorf("recent: %v, %v", list, err)
		}
		if n, err := s.Public().Counts(ctx); err != nil || n != (candor.Counts{}) {
			t.Errorf("counts: %+v, %v", n, err)
		}
		if list, err := s.RecentCaptures(ctx, 10); err != nil || len(list) != 2 {
			t.Errorf("staff see %d captures, %v", len(list), err)
		}
	})
}
