package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/page"
	"github.com/candor-archive/candor/storage/queue"
)

// expiring is a context whose deadline passes when over is closed.
type expiring struct {
	context.Context
	over chan struct{}
}

func (e expiring) Done() <-chan struct{} { return e.over }

func (e expiring) Err() error {
	select {
	case <-e.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// lateBrowsers lends no browser before the attempt's time is over.
type lateBrowsers struct{ over chan struct{} }

func (l lateBrowsers) Borrow(ctx context.Context) (*browser.Lease, error) {
	close(l.over)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestACaptureGivenUpForLackOfTimeIsOnRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "archive")
	store := openArchive(t, dir)
	defer store.Close()
	spec := candor.CaptureSpec{ID: candor.NewID(), URL: "https://city.example/", Profile: candor.Desktop, Policy: candor.PolicyLoad,
		ScheduledAt: candor.Moment(time.Now())}
	attempt := func(n int) error {
		over := make(chan struct{})
		k := &works{store: store, dir: t.TempDir(), log: slog.New(slog.DiscardHandler),
			render: &page.Renderer{Pool: lateBrowsers{over}, Software: "candor/test"}}
		return k.capture(expiring{t.Context(), over}, candor.CaptureJob{Spec: spec}, queue.Attempt{N: n, Max: 2})
	}
	if err := attempt(1); err == nil {
		t.Error("the first attempt is no error, so it would not be tried again")
	}
	if _, err := store.Capture(t.Context(), spec.ID); !candor.IsKind(err, candor.NotFound) {
		t.Errorf("after the first of two attempts: %v, want nothing on record", err)
	}
	if err := attempt(2); err != nil {
		t.Errorf("the last attempt: %v", err)
	}
	view, err := store.Capture(t.Context(), spec.ID)
	if err != nil || view.Capture.Outcome != candor.Failed || view.Capture.Reason == "" {
		t.Errorf("on record is %+v (%v), want a failed capture with its reason", view.Capture, err)
	}
}
