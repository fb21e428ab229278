package storage

import (
	"context"
	"io"
	"time"

	"github.com/candor-archive/candor"
)

// Public reads what everyone may see. It has no method, and no parameter of
// one, that could ask for anything else: what is hidden, deleted or not yet
// released does not exist here, except that a record once public is known to
// have been.
type Public struct{ s *Store }

// Public is the archive as everyone sees it.
func (s *Store) Public() *Public { return &Public{s} }

// publicKinds are the artefacts that show what a visitor saw. The recorded
// exchanges and their bodies can hold more than was on screen.
var publicKinds = map[candor.ArtefactKind]bool{candor.Screenshot: true, candor.Snapshot: true, candor.Text: true,
	candor.Layout: true, candor.TextTwin: true, candor.Original: true, candor.Thumbnail: true, candor.ManifestF: true}

// Search finds public records, whatever visibility the query names.
func (p *Public) Search(ctx context.Context, q candor.Query) (candor.Results, error) {
	q.Visibility = candor.Public
	return p.s.search(ctx, q, candor.Public)
}

// Record gives a public record with its public captures and the public part of
// its thread. Of a record that was public and is not any more it gives the
// times, the state and the tombstones, without a word of it. Any other record
// is NotFound.
func (p *Public) Record(ctx context.Context, id string) (candor.RecordView, error) {
	r, err := p.s.db.Reader().Record(ctx, id)
	if err != nil {
		return candor.RecordView{}, err
	}
	source, err := p.s.db.Reader().Source(ctx, r.SourceID)
	if err != nil {
		return candor.RecordView{}, err
	}
	if !r.WasPublic || !source.Public {
		return candor.RecordView{}, candor.Errorf(candor.NotFound, "there is no such record")
	}
	if r.Visibility == candor.Public {
		return p.s.view(ctx, r, candor.Public)
	}
	tombstones, err := p.s.db.Reader().Tombstones(ctx, id)
	if err != nil {
		return candor.RecordView{}, err
	}
	x := r.Record
	return candor.RecordView{
		Record: candor.Record{ID: x.ID, Kind: x.Kind, State: x.State, SourceID: x.SourceID, PostedAt: x.PostedAt,
			FirstSeen: x.FirstSeen, LastSeen: x.LastSeen, StateSince: x.StateSince, ThreadID: x.ThreadID},
		Source:     sourceFor(source, candor.Public),
		Tombstones: tombstones,
	}, nil
}

// Capture gives a public capture of a public record; NotFound otherwise.
func (p *Public) Capture(ctx context.Context, id string) (candor.CaptureView, error) {
	missing := candor.Errorf(candor.NotFound, "there is no such capture")
	v, err := p.s.Capture(ctx, id)
	if err != nil {
		return candor.CaptureView{}, err
	}
	if v.Capture.Visibility != candor.Public || v.Record.Visibility != candor.Public || !v.Source.Public {
		return candor.CaptureView{}, missing
	}
	v.Source = sourceFor(v.Source, candor.Public)
	all := v.Artefacts
	v.Artefacts = nil
	for _, a := range all {
		if publicKinds[a.Kind] {
			v.Artefacts = append(v.Artefacts, a)
		}
	}
	return v, nil
}

// Sources lists the sources whose records everyone may see, by name.
func (p *Public) Sources(ctx context.Context) ([]candor.Source, error) {
	all, err := p.s.db.Reader().Sources(ctx)
	var out []candor.Source
	for _, x := range all {
		if x.Public {
			out = append(out, sourceFor(x, candor.Public))
		}
	}
	return out, err
}

// Coverage is the account of a public source from one day to another, at most
// 400 days; NotFound for any other source. It says why something is missing,
// but not in the words of the platform or of the program, and not what a visit
// cost.
func (p *Public) Coverage(ctx context.Context, sourceID string, from, to candor.Date) (candor.Coverage, error) {
	source, err := p.s.db.Reader().Source(ctx, sourceID)
	if err != nil {
		return candor.Coverage{}, err
	}
	if !source.Public {
		return candor.Coverage{}, candor.Errorf(candor.NotFound, "there is no such source")
	}
	c, err := p.s.Coverage(ctx, sourceID, from, to)
	if err != nil {
		return candor.Coverage{}, err
	}
	c.Source = sourceFor(c.Source, candor.Public)
	for i := range c.Days {
		c.Days[i].Cost = 0
		for j := range c.Days[i].Gaps {
			c.Days[i].Gaps[j].Details = nil
		}
	}
	return c, nil
}

// Recent lists the newest public captures.
func (p *Public) Recent(ctx context.Context, limit int) ([]candor.Capture, error) {
	return p.s.db.Reader().RecentCaptures(ctx, limit, candor.Public)
}

// OpenArtefact reads one artefact of a public capture; NotFound when the
// capture is not public or has none of that kind to show.
func (p *Public) OpenArtefact(ctx context.Context, captureID string, kind candor.ArtefactKind) (io.ReadSeekCloser, candor.Artefact, error) {
	return p.OpenRendition(ctx, captureID, "", kind)
}

// OpenRendition is OpenArtefact for a further rendition of the capture, under
// the same rule.
func (p *Public) OpenRendition(ctx context.Context, captureID, rendition string, kind candor.ArtefactKind) (io.ReadSeekCloser, candor.Artefact, error) {
	v, err := p.Capture(ctx, captureID)
	if err != nil {
		return nil, candor.Artefact{}, err
	}
	a, ok := v.Rendition(rendition, kind)
	if !ok {
		return nil, candor.Artefact{}, candor.Errorf(candor.NotFound, "the capture has no %s to show", kind)
	}
	r, err := p.s.objects.Open(ctx, a.SHA)
	return r, a, err
}

// Request gives what everyone may know of a request. One the agency has not
// summed up for the public is NotFound, like one that does not exist.
func (p *Public) Request(ctx context.Context, number string) (candor.PublicRequest, error) {
	r, err := p.s.db.Reader().RequestByNumber(ctx, number)
	if err != nil {
		return candor.PublicRequest{}, err
	}
	if r.Summary == "" {
		return candor.PublicRequest{}, candor.Errorf(candor.NotFound, "there is no such request")
	}
	return candor.PublicRequest{Number: r.Number, Stage: r.Stage, Disposition: r.Disposition, Summary: r.Summary,
		ReceivedAt: r.ReceivedAt, ClosedAt: r.ClosedAt}, nil
}

// Counts says how much the public archive holds.
func (p *Public) Counts(ctx context.Context) (candor.Counts, error) {
	zone, err := p.s.zone(ctx)
	if err != nil {
		return candor.Counts{}, err
	}
	y, m, d := p.s.now().In(zone).Date()
	return p.s.db.Reader().Counts(ctx, time.Date(y, m, d, 0, 0, 0, 0, zone))
}
