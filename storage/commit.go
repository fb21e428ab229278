package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/meta"
)

// PutObject stores bytes. They are durable when it returns.
func (s *Store) PutObject(ctx context.Context, r io.Reader) (sha string, size int64, err error) {
	return s.objects.Put(ctx, r)
}

// EnqueuePolls asks for sources to be read, but for none that is asked for
// already or being read. It gives those it asked for.
func (s *Store) EnqueuePolls(ctx context.Context, sourceIDs ...string) (asked []string, err error) {
	jobs := make([]candor.Job, len(sourceIDs))
	for i, id := range sourceIDs {
		jobs[i] = candor.PollJob{SourceID: id}
	}
	err = s.commit(ctx, "ask for polls", func(ctx context.Context, t *txn) error {
		asked = nil // of a try that was undone
		added, err := s.queue.EnqueueManyTx(ctx, t.tx, jobs, true)
		for i, ok := range added {
			if ok {
				asked = append(asked, sourceIDs[i])
			}
		}
		return err
	})
	return asked, err
}

// EnqueueCapture asks for one capture.
func (s *Store) EnqueueCapture(ctx context.Context, spec candor.CaptureSpec) error {
	return s.commit(ctx, "ask for a capture", func(ctx context.Context, t *txn) error {
		return s.enqueueCapture(ctx, t, spec)
	})
}

func (s *Store) enqueueCapture(ctx context.Context, t *txn, spec candor.CaptureSpec) error {
	if spec.ID == "" {
		spec.ID = candor.NewID()
	}
	if spec.ScheduledAt.IsZero() {
		spec.ScheduledAt = t.now
	}
	if spec.Profile == "" {
		spec.Profile = candor.Desktop
	}
	if spec.Policy == "" {
		spec.Policy = candor.PolicyLoad
	}
	return s.queue.EnqueueTx(ctx, t.tx, candor.CaptureJob{Spec: spec}, false)
}

// manifestName is the manifest's file in a capture's directory.
const manifestName = "manifest.json"

// textKept bounds how much of a page's words is searched.
const textKept = 1 << 20

// CommitCapture takes a finished capture into the archive: every file in dir is
// compared with the manifest and stored, and then one transaction adds the
// capture, its files and the evidence for them. Committing the same spec.ID
// again changes nothing and gives the capture as it is. A file that is not what
// the manifest says fails with Invalid and leaves no capture.
func (s *Store) CommitCapture(ctx context.Context, spec candor.CaptureSpec, m candor.Manifest, dir string) (candor.Capture, error) {
	if spec.ID == "" || m.ID != spec.ID {
		return candor.Capture{}, candor.Errorf(candor.Invalid, "commit a capture: it was asked for as %q, and its manifest says %q", spec.ID, m.ID)
	}
	switch m.Outcome {
	case candor.Complete, candor.Partial, candor.Failed:
	default:
		return candor.Capture{}, candor.Errorf(candor.Invalid, "commit capture %s: %q is not an outcome", spec.ID, m.Outcome)
	}
	if have, err := s.db.Reader().Capture(ctx, spec.ID); err == nil {
		s.publish(ctx) // the run that committed it may have died before
		return have, nil
	} else if !candor.IsKind(err, candor.NotFound) {
		return candor.Capture{}, err
	}
	artefacts, text, err := s.storeFiles(ctx, m, dir)
	if err != nil {
		return candor.Capture{}, wrap(err, "commit capture "+spec.ID)
	}
	c := candor.Capture{
		ID: spec.ID, SourceID: spec.SourceID, RecordID: spec.RecordID, URL: m.URL, FinalURL: m.FinalURL, Title: m.Title,
		Profile: m.Profile, Policy: m.Policy, Outcome: m.Outcome, Reason: m.Reason, HTTPStatus: m.HTTPStatus, Why: spec.Why,
		PageHeight: m.PageHeight, ScheduledAt: spec.ScheduledAt, StartedAt: m.Started, FinishedAt: m.Finished,
		Browser: m.Browser, ManifestSHA: artefacts[0].SHA,
	}
	meta.Settle(&c)
	meta.Settle(&artefacts)
	agreement, compared := s.compare(ctx, c, m, text)
	err = s.commit(ctx, "commit capture "+spec.ID, func(ctx context.Context, t *txn) error {
		if err := s.addCapture(ctx, t, &c, artefacts, text); err != nil {
			return err
		}
		if compared {
			s.addAgreement(ctx, t, agreement)
		}
		return nil
	})
	if candor.IsKind(err, candor.Conflict) {
		// Another worker was given the same job and was quicker.
		if have, e := s.db.Reader().Capture(ctx, spec.ID); e == nil {
			return have, nil
		}
	}
	if err != nil {
		return candor.Capture{}, err
	}
	s.publish(ctx)
	return c, nil
}

// storeFiles stores the files of a capture, each only if it is what the
// manifest says, and gives them as artefacts, the manifest first.
func (s *Store) storeFiles(ctx context.Context, m candor.Manifest, dir string) (artefacts []candor.Artefact, text string, err error) {
	// A root: a name in the manifest, or a link put into the directory, can't
	// lead out of it.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", candor.Errorf(candor.Unavailable, "open the capture's files: %w", err)
	}
	defer root.Close()
	raw, err := root.ReadFile(manifestName)
	if err != nil {
		return nil, "", candor.Errorf(candor.Invalid, "read the manifest: %w", err)
	}
	var written candor.Manifest
	if err := json.Unmarshal(raw, &written); err != nil {
		return nil, "", candor.Errorf(candor.Invalid, "read the manifest: %w", err)
	}
	if !same(written, m) {
		return nil, "", candor.Errorf(candor.Invalid, "the manifest in the directory is not the one handed over")
	}
	artefacts = []candor.Artefact{{CaptureID: m.ID, Kind: candor.ManifestF, Name: manifestName, Size: int64(len(raw)), MediaType: "application/json"}}
	if artefacts[0].SHA, _, err = s.objects.Put(ctx, bytes.NewReader(raw)); err != nil {
		return nil, "", wrap(err, "store the manifest")
	}
	for i, f := range m.Files {
		file, err := root.Open(f.Path)
		if err != nil {
			return nil, "", candor.Errorf(candor.Invalid, "open %s: %w", f.Path, err)
		}
		size, err := s.objects.PutExpect(ctx, f.SHA256, file)
		if err == nil && f.Kind == candor.Text && f.Rendition == "" {
			text, err = head(file)
		}
		file.Close()
		if err != nil {
			return nil, "", wrap(err, "store "+f.Path)
		}
		if size != f.Size {
			return nil, "", candor.Errorf(candor.Invalid, "%s has %d bytes, and the manifest says %d", f.Path, size, f.Size)
		}
		artefacts = append(artefacts, candor.Artefact{CaptureID: m.ID, N: i + 1, Kind: f.Kind, Name: f.Path, SHA: f.SHA256,
			Size: f.Size, MediaType: f.MediaType, Width: f.Width, Height: f.Height, Truncated: f.Truncated, Rendition: f.Rendition})
	}
	return artefacts, text, nil
}

// same compares manifests as they are written, since a time read back has
// another inner form.
func same(a, b candor.Manifest) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func head(file *os.File) (string, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(file, textKept))
	text := string(b)
	meta.Settle(&text)
	return text, err
}

// addCapture writes a capture's rows and evidence. What it may show is decided
// here, while no sweep of its thread can be under way.
func (s *Store) addCapture(ctx context.Context, t *txn, c *candor.Capture, artefacts []candor.Artefact, text string) error {
	if _, err := t.Capture(ctx, c.ID); err == nil {
		return candor.Errorf(candor.Conflict, "it is committed already")
	} else if !candor.IsKind(err, candor.NotFound) {
		return err
	}
	c.CommittedAt, c.Visibility = t.now, candor.StaffOnly
	var record meta.Stored
	if c.RecordID != "" {
		var err error
		if record, err = t.Record(ctx, c.RecordID); err != nil {
			return err
		}
		root := record.ThreadID
		if err := t.LockThreads(ctx, []string{root}); err != nil {
			return err
		}
		if record, err = t.Record(ctx, c.RecordID); err != nil {
			return err
		}
		c.SourceID = record.SourceID
		source, err := t.Source(ctx, record.SourceID)
		if err != nil {
			return err
		}
		if c.Visibility, err = t.threadVisibility(ctx, root, source.Public, c.StartedAt); err != nil {
			return err
		}
		if record.Visibility != candor.Public {
			c.Visibility = candor.StaffOnly
		}
	}
	if c.SourceID != "" {
		date, err := t.date(ctx, t.now)
		if err != nil {
			return err
		}
		// Before the log is appended to, as in a sweep: both lock rows, and two
		// that lock in turn would wait for each other.
		if err := t.CountCapture(ctx, c.SourceID, date, c.Outcome); err != nil {
			return err
		}
	}
	seq, err := s.evidence.Append(ctx, t.tx, candor.EvidenceEntry{At: t.now, Kind: candor.EvidenceCapture, Subject: c.ID, Body: c.EvidenceBody(artefacts)})
	if err != nil {
		return err
	}
	c.EvidenceSeq = seq
	if err := t.AddCapture(ctx, *c, artefacts); err != nil {
		return err
	}
	if record.Kind != candor.Page || c.Outcome == candor.Failed {
		return nil
	}
	words := strings.TrimSpace(c.Title + "\n" + text)
	if err := t.SavePageText(ctx, record.ID, c.ID, words); err != nil {
		return err
	}
	revisions, err := t.Revisions(ctx, record.ID)
	if err != nil {
		return err
	}
	return wrap(s.index.Put(ctx, t.tx, doc(record.Record, revisions, words)), "index the page")
}

// doc is what the index holds of a record: every wording, newest first.
func doc(r candor.Record, revisions []candor.Revision, page string) candor.Doc {
	var texts []string
	if page != "" {
		texts = append(texts, page)
	}
	for _, v := range revisions {
		if v.Text != "" {
			texts = append(texts, v.Text)
		}
	}
	at := r.PostedAt
	if at.IsZero() {
		at = r.FirstSeen
	}
	return candor.Doc{RecordID: r.ID, Kind: r.Kind, State: r.State, SourceID: r.SourceID, Language: r.Language,
		Visibility: r.Visibility, Author: r.Author, Time: at, Text: strings.Join(texts, "\n\n")}
}
