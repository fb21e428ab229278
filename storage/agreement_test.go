package storage

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

const screenOf = "Larkspur Police\nJust now\n%POST\n1 comment\nMaria\n%COMMENT\nJust now\nReply"

// compared commits a capture that shows a thread's post and comment in some
// words, begun at a moment, and gives what the comparison found.
func compared(t *testing.T, s *Store, r candor.Record, post, comment string, begun time.Time) candor.Agreement {
	t.Helper()
	spec := specFor(r)
	m, dir := made(t, spec, strings.NewReplacer("%POST", post, "%COMMENT", comment).Replace(screenOf))
	m.Started, m.Shot = begun, begun
	must(t, rewrite(m, dir))
	c, err := s.CommitCapture(t.Context(), spec, m, dir)
	must(t, err)
	a, err := s.Agreement(t.Context(), c.ID)
	must(t, err)
	if a.CaptureID != c.ID || a.Method != candor.AgreementMethod {
		t.Errorf("agreement %+v", a)
	}
	return a
}

func TestWhatIsOnScreenIsHeldAgainstThePlatformsData(t *testing.T) {
	const road, question = "Road closure on Azalea Street", "How long will it last?"
	onBoth(t, func(t *testing.T, s *Store) {
		ctx, src := t.Context(), source(t, s, true)
		post, comment := addThread(t, s, src)
		a := compared(t, s, post, road, question, time.Now())
		if a.Mismatches != 0 || a.Words != candor.MatchFound || a.Author != candor.MatchFound || a.Comments != candor.MatchFound || a.Found != 1 {
			t.Errorf("what agrees: %+v", a)
		}

		// The page has an edit that no poll has told yet.
		edited := road + " and Live Oak"
		edited = strings.Replace(edited, "closure", "works", 1)
		a = compared(t, s, post, edited, question, time.Now())
		if a.Mismatches != 1 || a.Words != candor.MatchPart || a.Findings[0].RecordID != post.ID || !strings.Contains(a.Findings[0].Screen, "works") {
			t.Errorf("an edit not polled yet: %+v", a)
		}

		// It is polled. A page that still has the earlier wording disagrees, one begun before the poll does not.
		begun := time.Now()
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, At: begun.Add(time.Second), Changes: []candor.Change{wording(post, edited)}}))
		a = compared(t, s, post, road, question, begun.Add(2*time.Second))
		if a.Mismatches != 1 || a.Words != candor.MatchOld || a.Findings[0].Kind != candor.FoundOld {
			t.Errorf("an earlier wording: %+v", a)
		}
		if a = compared(t, s, post, road, question, begun); a.Mismatches != 0 {
			t.Errorf("begun before the poll: %+v", a)
		}

		// The comment is hidden and still stands on a page.
		comment.State = candor.Hidden
		must(t, s.ApplySweep(ctx, candor.Sweep{SourceID: src.ID, At: begun.Add(3 * time.Second), Changes: []candor.Change{{Record: comment}}}))
		a = compared(t, s, post, edited, question, begun.Add(4*time.Second))
		if a.Withdrawn != 1 || a.About(comment.ID) != 1 {
			t.Errorf("a hidden comment on screen: %+v", a)
		}
		if a = compared(t, s, post, edited, "", begun.Add(2*time.Second)); a.Withdrawn != 0 || a.Mismatches != 0 {
			t.Errorf("before it was hidden: %+v", a)
		}
	})
}

func TestOnlyThreadsOfPlatformsAreCompared(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	src := source(t, s, true)
	page := candor.Record{ID: candor.NewID(), UID: "https://larkspur.example/permits", Kind: candor.Page, State: candor.Live}
	must(t, s.ApplySweep(t.Context(), candor.Sweep{SourceID: src.ID, Changes: []candor.Change{wording(page, "Permits")}}))
	post, _ := addThread(t, s, src)
	for name, c := range map[string]struct {
		record  candor.Record
		outcome candor.Outcome
	}{"a web page": {page, candor.Complete}, "a failed visit": {post, candor.Failed}, "a page of no record": {candor.Record{}, candor.Complete}} {
		spec := specFor(c.record)
		m, dir := made(t, spec, "words")
		m.Outcome = c.outcome
		must(t, rewrite(m, dir))
		_, err := s.CommitCapture(t.Context(), spec, m, dir)
		must(t, err)
		if a, err := s.Agreement(t.Context(), spec.ID); !candor.IsKind(err, candor.NotFound) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestACaptureIsCommittedWithoutItsComparison(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		src := source(t, s, true)
		post, _ := addThread(t, s, src)
		_, err := s.db.Write.ExecContext(t.Context(), "DROP TABLE agreements")
		must(t, err)
		c := capture(t, s, post)
		v, err := s.Capture(t.Context(), c.ID)
		must(t, err)
		if v.Capture != c || len(v.Artefacts) != 6 {
			t.Errorf("view %+v", v)
		}
	})
}
