package storage

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
)

// compare holds the words of a capture against what the platform's API had said
// of its thread when the capture began. Only what a platform shows of a thread
// can be compared: false for anything else, and when it goes wrong, since no
// capture is lost for it.
//
// It reads before the transaction of the capture, so as not to keep others
// waiting: what is learnt in between is later than the capture's beginning and
// would not count.
func (s *Store) compare(ctx context.Context, c candor.Capture, m candor.Manifest, text string) (a candor.Agreement, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("the screen was not compared with the platform's data", "capture", c.ID, "error", fmt.Sprint(r))
			ok = false
		}
	}()
	file, found := m.File(candor.Text)
	if c.RecordID == "" || !found || m.Outcome == candor.Failed {
		return a, false
	}
	a, err := s.comparison(ctx, c, m, candor.Screen{Words: text, Cut: file.Truncated || file.Size > textKept})
	if err != nil && !candor.IsKind(err, candor.NotFound) {
		s.log.Warn("the screen was not compared with the platform's data", "capture", c.ID, "error", err)
	}
	return a, err == nil
}

// comparison is compare with its failures; NotFound when there is no thread to
// compare.
func (s *Store) comparison(ctx context.Context, c candor.Capture, m candor.Manifest, screen candor.Screen) (candor.Agreement, error) {
	var none candor.Agreement
	repo := s.db.Reader()
	record, err := repo.Record(ctx, c.RecordID)
	if err != nil {
		return none, err
	}
	if record.Kind == candor.Page {
		return none, candor.Errorf(candor.NotFound, "a page of a website has no other account of it")
	}
	thread, err := repo.Thread(ctx, record.ThreadID)
	if err != nil {
		return none, err
	}
	ids := make([]string, len(thread))
	for i, r := range thread {
		ids[i] = r.ID
	}
	wordings, err := repo.Wordings(ctx, ids)
	if err != nil {
		return none, err
	}
	account, err := repo.Account(ctx, record.AccountID)
	if err != nil && !candor.IsKind(err, candor.NotFound) {
		return none, err
	}
	var root *candor.Told
	var comments []candor.Told
	for _, r := range thread {
		t, known := candor.ToldAt(r, wordings[r.ID], c.StartedAt)
		if !known {
			continue
		}
		if r.ByAgency {
			t.Also = names(account)
		}
		if r.ID == r.ThreadID {
			root = &t
		} else {
			comments = append(comments, t)
		}
	}
	if root == nil {
		return none, candor.Errorf(candor.NotFound, "the post was not known when the capture began")
	}
	if screen.Zone, err = s.zone(ctx); err != nil {
		return none, err
	}
	if screen.At = m.Shot; screen.At.IsZero() {
		screen.At = c.StartedAt
	}
	screen.Shown, screen.Partial = m.Shown, m.Outcome != candor.Complete
	a := candor.CompareScreen(screen, *root, comments)
	a.CaptureID = c.ID
	meta.Settle(&a)
	return a, nil
}

// names are what an account goes by on its platform.
func names(a candor.Account) []string {
	var out []string
	for _, name := range []string{a.Name, a.Handle} {
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

// addAgreement keeps a comparison with its capture, or leaves it out when that
// fails: the capture is committed all the same.
func (s *Store) addAgreement(ctx context.Context, t *txn, a candor.Agreement) {
	err := t.tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return s.db.In(tx).AddAgreement(ctx, a) })
	if err != nil {
		s.log.Warn("a comparison was not kept with its capture", "capture", a.CaptureID, "error", err)
	}
}

// Agreement gives what came out when a capture's words were compared with what
// the platform's API had said of its thread by then; NotFound when they were not.
func (s *Store) Agreement(ctx context.Context, captureID string) (candor.Agreement, error) {
	return s.db.Reader().Agreement(ctx, captureID)
}
