package storage

import (
	"context"
	"io"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/index"
	"github.com/candor-archive/candor/storage/meta"
)

// Search finds records for staff. The index only proposes: every record is read
// again from the database, which alone decides who may see it.
func (s *Store) Search(ctx context.Context, q candor.Query) (candor.Results, error) {
	if q.Visibility == candor.Public {
		return s.search(ctx, q, candor.Public)
	}
	q.Visibility = candor.StaffOnly
	return s.search(ctx, q, candor.StaffOnly)
}

func (s *Store) search(ctx context.Context, q candor.Query, reach candor.Visibility) (candor.Results, error) {
	meta.Settle(&q)
	q.Page = max(q.Page, 1)
	if q.PerPage < 1 {
		q.PerPage = 20
	}
	q.PerPage = min(q.PerPage, 100)
	if q.Zone == nil {
		zone, err := s.zone(ctx)
		if err != nil {
			return candor.Results{}, wrap(err, "search the archive")
		}
		q.Zone = zone
	}
	found, err := s.index.Search(ctx, q)
	if err != nil {
		return candor.Results{}, wrap(err, "search the archive")
	}
	hits, err := s.hits(ctx, found, reach)
	if err != nil {
		return candor.Results{}, wrap(err, "search the archive")
	}
	return candor.Results{Hits: hits, Total: found.Total, Facets: found.Facets, Took: found.Took}, nil
}

func (s *Store) hits(ctx context.Context, found index.Found, reach candor.Visibility) ([]candor.Hit, error) {
	repo := s.db.Reader()
	read := repo.Records
	if reach == candor.Public {
		read = repo.PublicAmong
	}
	records, err := read(ctx, found.IDs)
	if err != nil {
		return nil, err
	}
	var sourceIDs, shownBy []string
	for _, r := range records {
		sourceIDs = append(sourceIDs, r.SourceID)
		shownBy = append(shownBy, r.ID, r.ThreadID)
	}
	sources, err := repo.SourcesByID(ctx, sourceIDs)
	if err != nil {
		return nil, err
	}
	newest, err := repo.NewestCaptures(ctx, shownBy, reach)
	if err != nil {
		return nil, err
	}
	hits := make([]candor.Hit, 0, len(found.IDs))
	for _, id := range found.IDs {
		r, ok := records[id]
		if !ok {
			continue
		}
		capture := newest[r.ThreadID]
		if own := newest[r.ID]; own != "" {
			capture = own
		}
		hits = append(hits, candor.Hit{Record: r.Record, Snippet: found.Snippets[id], Source: sourceFor(sources[r.SourceID], reach), CaptureID: capture})
	}
	return hits, nil
}

// sourceFor leaves out of a source what is only for those who run it.
func sourceFor(x candor.Source, reach candor.Visibility) candor.Source {
	if reach == candor.Public {
		x.APIURL, x.LastError, x.Owner = "", "", ""
		x.TokenSetAt, x.TokenSetBy, x.TokenExpires = time.Time{}, "", ""
	}
	return x
}

// Record gives one record with all the archive knows of it.
func (s *Store) Record(ctx context.Context, id string) (candor.RecordView, error) {
	r, err := s.db.Reader().Record(ctx, id)
	if err != nil {
		return candor.RecordView{}, err
	}
	return s.view(ctx, r, candor.StaffOnly)
}

func (s *Store) view(ctx context.Context, r meta.Stored, reach candor.Visibility) (v candor.RecordView, err error) {
	repo := s.db.Reader()
	v.Record = r.Record
	if v.Source, err = repo.Source(ctx, r.SourceID); err != nil {
		return v, err
	}
	v.Source = sourceFor(v.Source, reach)
	if r.AccountID != "" {
		if v.Account, err = repo.Account(ctx, r.AccountID); err != nil && !candor.IsKind(err, candor.NotFound) {
			return v, err
		}
	}
	if v.Revisions, err = repo.Revisions(ctx, r.ID); err != nil {
		return v, err
	}
	ids := make([]string, len(v.Revisions))
	for i, x := range v.Revisions {
		ids[i] = x.ID
	}
	if v.Attachments, err = repo.Attachments(ctx, ids); err != nil {
		return v, err
	}
	if v.Tombstones, err = repo.Tombstones(ctx, r.ID); err != nil {
		return v, err
	}
	shownBy := []string{r.ThreadID}
	if r.ID != r.ThreadID {
		shownBy = append(shownBy, r.ID)
	}
	if v.Captures, err = repo.CapturesOf(ctx, shownBy, reach); err != nil {
		return v, err
	}
	return v, s.viewThread(ctx, &v, reach)
}

func (s *Store) viewThread(ctx context.Context, v *candor.RecordView, reach candor.Visibility) error {
	repo := s.db.Reader()
	all, err := repo.Thread(ctx, v.Record.ThreadID)
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range all {
		if r.ID == v.Record.ID || reach == candor.Public && r.Visibility != candor.Public {
			continue
		}
		v.Thread = append(v.Thread, r)
		ids = append(ids, r.ID)
	}
	v.ThreadText, err = repo.NewestTexts(ctx, ids)
	return err
}

// Capture gives one capture with what belongs to it.
func (s *Store) Capture(ctx context.Context, id string) (candor.CaptureView, error) {
	c, err := s.db.Reader().Capture(ctx, id)
	if err != nil {
		return candor.CaptureView{}, err
	}
	v := candor.CaptureView{Capture: c}
	if c.RecordID != "" {
		r, err := s.db.Reader().Record(ctx, c.RecordID)
		if err != nil {
			return v, err
		}
		v.Record = r.Record
	}
	if c.SourceID != "" {
		if v.Source, err = s.db.Reader().Source(ctx, c.SourceID); err != nil && !candor.IsKind(err, candor.NotFound) {
			return v, err
		}
	}
	if v.Artefacts, err = s.db.Reader().Artefacts(ctx, id); err != nil {
		return v, err
	}
	v.Entry, err = s.evidence.Entry(ctx, c.EvidenceSeq)
	return v, err
}

// RecentCaptures lists captures, newest first.
func (s *Store) RecentCaptures(ctx context.Context, limit int) ([]candor.Capture, error) {
	return s.db.Reader().RecentCaptures(ctx, limit, candor.StaffOnly)
}

// OpenObject reads any object, for staff who were allowed to.
func (s *Store) OpenObject(ctx context.Context, sha string) (io.ReadSeekCloser, error) {
	return s.objects.Open(ctx, sha)
}

// Checkpoint gives the evidence log's newest signed checkpoint.
func (s *Store) Checkpoint(ctx context.Context) (note []byte, err error) {
	return s.evidence.Checkpoint(ctx)
}

// Verifier is the evidence log's public key, as the text that signed notes are
// checked with.
func (s *Store) Verifier(ctx context.Context) (string, error) { return s.evidence.Verifier(ctx) }

// EvidenceEntry gives one entry of the evidence log.
func (s *Store) EvidenceEntry(ctx context.Context, seq int64) (candor.EvidenceEntry, error) {
	return s.evidence.Entry(ctx, seq)
}
