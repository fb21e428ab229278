package crawler

import (
	"context"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage"
)

// kept is the real archive, watched for what it is asked to do.
type kept struct {
	*storage.Store
	t      *testing.T
	id     string
	sweeps []candor.Sweep
	specs  []candor.CaptureSpec
}

func openArchive(t *testing.T, src candor.Source, token string, now func() time.Time) *kept {
	t.Helper()
	store, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.AddSource(t.Context(), src, token, "test"); err != nil {
		t.Fatal(err)
	}
	return &kept{Store: store, t: t, id: src.ID}
}

func (k *kept) ApplySweep(ctx context.Context, s candor.Sweep) error {
	if err := k.Store.ApplySweep(ctx, s); err != nil {
		return err
	}
	k.sweeps = append(k.sweeps, s)
	k.specs = append(k.specs, s.Captures...)
	return nil
}

func (k *kept) view(uid string) (candor.RecordView, bool) {
	k.t.Helper()
	known, err := k.Known(k.t.Context(), k.id, []string{uid})
	if err != nil {
		k.t.Fatal(err)
	}
	x, ok := known[uid]
	if !ok {
		return candor.RecordView{}, false
	}
	v, err := k.Record(k.t.Context(), x.Record.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	return v, true
}

func (k *kept) captures() []candor.CaptureSpec {
	out := k.specs
	k.specs = nil
	return out
}

func (k *kept) source() candor.Source {
	k.t.Helper()
	s, err := k.Source(k.t.Context(), k.id)
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

func (k *kept) answers() (out []candor.Answer) {
	for _, s := range k.sweeps {
		out = append(out, s.Answers...)
	}
	return out
}

func TestStoryInTheRealArchive(t *testing.T) {
	g := newGraph(t)
	playStory(t, newScene(t, g, func(src candor.Source, now func() time.Time) archive { return openArchive(t, src, graphToken, now) }))
}
