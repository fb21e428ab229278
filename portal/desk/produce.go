package desk

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// Propose prepares the production of everything marked responsive and seals
// it: what the second person approves is what will be released, byte by byte.
// It holds the captures' files, a text twin that opens offline, a README in the
// requester's language, every file's hash and the signed checkpoint.
func (d *Desk) Propose(ctx context.Context, p candor.Principal, id, note string) error {
	r, err := d.on(ctx, p, id)
	if err != nil {
		return err
	}
	_, err = d.act(ctx, p, r, candor.EvProposed, candor.Target{}, func(_ candor.Transition, a *candor.Act) error {
		note, err := text("note", note, MaxNote, false)
		if err != nil {
			return err
		}
		f, err := d.store.RequestFile(ctx, id)
		if err != nil {
			return err
		}
		if len(f.Responsive) == 0 {
			return candor.Errorf(candor.Conflict, "no record is marked responsive, so there is nothing to release")
		}
		prod := candor.Production{ID: candor.NewID(), RequestID: id, State: candor.ProductionProposed, PreparedBy: p.UserID, PreparedAt: a.Event.At, Note: note}
		s, err := d.prepare(ctx, f, prod)
		if err != nil {
			return fmt.Errorf("prepare the production of %s: %w", r.Number, err)
		}
		a.Production, a.Items = &s.production, s.items
		a.Event.Detail = fmt.Sprintf("%d files, SHA-256 %s", len(s.items), s.production.BundleSHA)
		return nil
	})
	return err
}

// set is a production being put together.
type set struct {
	production candor.Production
	items      []candor.ProductionItem
	names      map[string]bool
}

// add puts a stored object into the set under a name nobody else has.
func (s *set) add(it candor.ProductionItem) candor.ProductionItem {
	ext := path.Ext(it.Name)
	base := strings.TrimSuffix(it.Name, ext)
	for n := 2; s.names[it.Name]; n++ {
		it.Name = fmt.Sprintf("%s-%d%s", base, n, ext)
	}
	s.names[it.Name] = true
	it.ID, it.ProductionID, it.N = candor.NewID(), s.production.ID, len(s.items)+1
	if it.ParentSHA == "" {
		it.ParentSHA = it.SHA
	}
	s.items = append(s.items, it)
	return it
}

// write stores bytes made here and puts them into the set.
func (d *Desk) write(ctx context.Context, s *set, name, mediaType string, data []byte) error {
	sha, size, err := d.store.PutObject(ctx, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	s.add(candor.ProductionItem{Kind: candor.Text, Name: name, SHA: sha, Size: size, MediaType: mediaType})
	return nil
}

// produced are the files of a capture that go to a requester, with the names
// they go by. Exchanges and boxes stay: they are for experts, and may hold what
// the page did not show.
var produced = []struct {
	kind candor.ArtefactKind
	name string
}{
	{candor.Screenshot, "screenshot.png"},
	{candor.Snapshot, "snapshot.html"},
	{candor.Text, "text.txt"},
	{candor.ManifestF, "manifest.json"},
}

func (d *Desk) prepare(ctx context.Context, f candor.RequestFile, prod candor.Production) (*set, error) {
	agency, err := d.store.Agency(ctx)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(agency.TimeZone)
	if err != nil {
		return nil, candor.Errorf(candor.Invalid, "the agency's time zone %q is not known: %w", agency.TimeZone, err)
	}
	records, err := d.gather(ctx, f.Responsive)
	if err != nil {
		return nil, err
	}
	s := &set{production: prod, names: map[string]bool{}}
	twin := twinPage{Lang: f.Request.Language, Zone: zone, Agency: agency, Request: f.Request, At: prod.PreparedAt}
	byCapture, bySHA := map[string][]candor.ProductionItem{}, map[string]candor.ProductionItem{}
	for i, rec := range records {
		page := twinRecord{N: i + 1, View: rec.view, Attached: map[string]candor.ProductionItem{}}
		stem := fmt.Sprintf("%02d-%s-%s", i+1, rec.view.Record.Kind, candor.DateOf(recordTime(rec.view.Record), zone))
		if rec.capture != nil {
			c := *rec.capture
			if _, done := byCapture[c.Capture.ID]; !done {
				for _, want := range produced {
					if a, ok := c.Artefact(want.kind); ok {
						byCapture[c.Capture.ID] = append(byCapture[c.Capture.ID], s.add(candor.ProductionItem{RecordID: rec.view.Record.ID, CaptureID: c.Capture.ID,
							Kind: want.kind, Name: stem + "-" + want.name, SHA: a.SHA, Size: a.Size, MediaType: a.MediaType}))
					}
				}
			}
			page.Capture, page.Files = &c.Capture, byCapture[c.Capture.ID]
		}
		for _, rev := range rec.view.Revisions {
			for _, at := range rec.view.Attachments[rev.ID] {
				if at.SHA == "" {
					continue
				}
				if same, ok := bySHA[rec.view.Record.ID+at.SHA]; ok {
					page.Attached[at.ID] = same // an edit of the words keeps the photo
					continue
				}
				added := s.add(candor.ProductionItem{RecordID: rec.view.Record.ID, Kind: candor.Body,
					Name: fmt.Sprintf("%s-attachment-%d%s", stem, at.N, extension(at.MediaType)), SHA: at.SHA, Size: at.Size, MediaType: at.MediaType})
				page.Attached[at.ID], bySHA[rec.view.Record.ID+at.SHA] = added, added
			}
		}
		twin.Records = append(twin.Records, page)
	}
	if err := d.papers(ctx, s, twin); err != nil {
		return nil, err
	}
	files := make([]candor.BundleFile, len(s.items))
	for i, it := range s.items {
		files[i] = candor.BundleFile{Name: it.Name, SHA: it.SHA}
	}
	if s.production.BundleSHA, s.production.BundleSize, err = d.store.SealBundle(ctx, files); err != nil {
		return nil, fmt.Errorf("seal the bundle: %w", err)
	}
	return s, nil
}

// papers adds what we write ourselves: twin, README, checkpoint, sums.
func (d *Desk) papers(ctx context.Context, s *set, twin twinPage) error {
	var page bytes.Buffer
	if err := twinTemplate.Execute(&page, twin); err != nil {
		return fmt.Errorf("write the text twin: %w", err)
	}
	readme := i18n.T(twin.Lang, "production.readme", "Number", twin.Request.Number, "Agency", twin.Agency.Name,
		"Prepared", i18n.Exact(twin.Lang, twin.At, twin.Zone)) + "\n"
	note, err := d.store.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	for _, paper := range []struct {
		name, mediaType string
		data            []byte
	}{
		{"index.html", "text/html; charset=utf-8", page.Bytes()},
		{"README.txt", "text/plain; charset=utf-8", []byte(readme)},
		{"checkpoint.txt", "text/plain; charset=utf-8", note},
	} {
		if err := d.write(ctx, s, paper.name, paper.mediaType, paper.data); err != nil {
			return err
		}
	}
	var sums strings.Builder
	for _, it := range s.items {
		fmt.Fprintf(&sums, "%s  %s\n", it.SHA, it.Name)
	}
	return d.write(ctx, s, "SHA256SUMS", "text/plain; charset=utf-8", []byte(sums.String()))
}

type gathered struct {
	view    candor.RecordView
	capture *candor.CaptureView
}

// gather loads what was marked, oldest first. A record that had no capture
// when it was marked gets one if there is one by now.
func (d *Desk) gather(ctx context.Context, marks []candor.ResponsiveRecord) ([]gathered, error) {
	var out []gathered
	for _, m := range marks {
		view, err := d.store.Record(ctx, m.RecordID)
		if err != nil {
			return nil, fmt.Errorf("read record %s: %w", m.RecordID, err)
		}
		g := gathered{view: view}
		captureID := m.CaptureID
		if captureID == "" {
			if c := Standing(view); c != nil {
				captureID = c.ID
			}
		}
		if captureID != "" {
			c, err := d.store.Capture(ctx, captureID)
			if err != nil {
				return nil, fmt.Errorf("read capture %s: %w", captureID, err)
			}
			g.capture = &c
		}
		out = append(out, g)
	}
	sort.SliceStable(out, func(i, j int) bool {
		return recordTime(out[i].view.Record).Before(recordTime(out[j].view.Record))
	})
	return out, nil
}

func recordTime(r candor.Record) time.Time {
	if !r.PostedAt.IsZero() {
		return r.PostedAt
	}
	return r.FirstSeen
}

// extension is the file ending for a type we know; what we don't know gets one
// that no program opens by itself.
func extension(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	switch strings.TrimSpace(mediaType) {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/gif":
		return ".gif"
	case "image/webp":
		return ".webp"
	case "image/avif":
		return ".avif"
	case "video/mp4":
		return ".mp4"
	case "video/webm":
		return ".webm"
	case "application/pdf":
		return ".pdf"
	}
	return ".bin"
}
