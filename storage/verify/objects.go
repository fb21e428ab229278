package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/layout"
)

// wanted is an object something refers to.
type wanted struct {
	by       []string // who, in words; the first few
	more     int
	sizes    []int64 // it should have, where a row says so
	captures []pending
}

// pending is a capture whose manifest is still to be read and compared.
type pending struct {
	capture candor.Capture
	files   []candor.Artefact
}

// named is how many of those that need an object are named when it is damaged.
const named = 3

// want notes that an object must be there. A size below zero is not known.
func (k *check) want(sha string, size int64, by string) *wanted {
	w := k.objects[sha]
	if w == nil {
		w = &wanted{}
		k.objects[sha] = w
		k.total++
	}
	if len(w.by) < named {
		w.by = append(w.by, by)
	} else {
		w.more++
	}
	if size >= 0 && !slices.Contains(w.sizes, size) {
		w.sizes = append(w.sizes, size)
	}
	return w
}

// capture notes what a capture needs; its manifest is compared once its bytes
// have been read.
func (k *check) capture(e candor.EvidenceEntry, c candor.Capture, files []candor.Artefact) {
	k.report.Captures++
	if c.EvidenceSeq != e.Seq {
		k.fault("row changed", "capture "+c.ID, "The capture %s says entry %d of the evidence log covers it, but entry %d does.", c.ID, c.EvidenceSeq, e.Seq)
	}
	for _, f := range files {
		k.want(f.SHA, f.Size, string(f.Kind)+" "+f.Name+" of capture "+c.ID)
	}
	if w := k.objects[c.ManifestSHA]; w != nil {
		w.captures = append(w.captures, pending{c, files})
		return
	}
	k.want(c.ManifestSHA, -1, "manifest of capture "+c.ID).captures = []pending{{c, files}}
}

// references collects the objects that rows outside captures refer to.
func (k *check) references(ctx context.Context) error {
	for _, q := range []struct {
		query, by string
	}{
		{"SELECT sha, size, id FROM answers", "platform answer "},
		{"SELECT sha, size, revision_id AS id FROM attachments WHERE sha <> ''", "attachment of revision "},
		{"SELECT answer_sha AS sha, -1 AS size, id FROM revisions WHERE answer_sha <> ''", "platform answer behind revision "},
		{"SELECT answer_sha AS sha, -1 AS size, id FROM tombstones WHERE answer_sha <> ''", "platform answer behind tombstone "},
		{"SELECT sha, size, production_id AS id FROM production_items WHERE sha <> ''", "file of production "},
		{"SELECT parent_sha AS sha, -1 AS size, production_id AS id FROM production_items WHERE parent_sha <> ''", "original of a file of production "},
		{"SELECT bundle_sha AS sha, bundle_size AS size, id FROM productions WHERE bundle_sha <> ''", "bundle of production "},
		// Files of captures the log does not cover, which is a fault of its own.
		{"SELECT sha, size, capture_id AS id FROM artefacts AS x WHERE NOT EXISTS (SELECT 1 FROM evidence_entry AS e WHERE e.subject = x.capture_id AND e.kind = 'capture')", "file of capture "},
	} {
		var rows []struct {
			SHA  string `bun:"sha"`
			Size int64  `bun:"size"`
			ID   string `bun:"id"`
		}
		if err := k.db.NewRaw(q.query).Scan(ctx, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			k.want(r.SHA, r.Size, q.by+r.ID)
		}
	}
	return nil
}

// bytes reads every object once, two at a time, and compares it with its hash,
// its size and, when it is a manifest, the rows of its capture.
func (k *check) bytes(ctx context.Context) error {
	shas := make([]string, 0, len(k.objects))
	for sha := range k.objects {
		shas = append(shas, sha)
	}
	slices.Sort(shas)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan string)
	go func() {
		defer close(next)
		for _, sha := range shas {
			select {
			case next <- sha:
			case <-ctx.Done():
				return
			}
		}
	}()
	var mu sync.Mutex // for the report
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for sha := range next {
				if err := k.object(ctx, sha, &mu); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (k *check) object(ctx context.Context, sha string, mu *sync.Mutex) error {
	w := k.objects[sha]
	manifest := &limited{}
	var sink io.Writer = io.Discard
	if len(w.captures) > 0 {
		sink = manifest
	}
	got, size, err := k.hash(ctx, sha, sink)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	mu.Lock()
	defer mu.Unlock()
	k.progress(1)
	by := w.who()
	switch {
	case !layout.ValidSHA(sha):
		k.fault("row changed", "object "+sha, "%q is not the hash of an object; it is named as the %s.", sha, by)
		return nil
	case candor.IsKind(err, candor.NotFound):
		k.fault("object missing", "object "+sha, "The object %s is missing. It is the %s.", sha, by)
		return nil
	case err != nil && candor.IsKind(err, candor.Unavailable):
		return err
	case err != nil:
		k.fault("object unreadable", "object "+sha, "The object %s cannot be read: %v. It is the %s.", sha, err, by)
		return nil
	}
	k.report.Objects++
	k.report.Bytes += size
	if got != sha {
		k.fault("object changed", "object "+sha, "The bytes of object %s were changed: they now hash to %s. It is the %s.", sha, got, by)
		return nil // what else is said of it would follow from that
	}
	for _, should := range w.sizes {
		if size != should {
			k.fault("row changed", "object "+sha, "The object %s has %d bytes, and the database says %d. It is the %s.", sha, size, should, by)
		}
	}
	for _, p := range w.captures {
		k.manifest(p, manifest)
	}
	return nil
}

func (k *check) hash(ctx context.Context, sha string, sink io.Writer) (sum string, size int64, err error) {
	if !layout.ValidSHA(sha) {
		return "", 0, nil
	}
	r, err := k.Objects.Open(ctx, sha)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(h, sink), r)
	return hex.EncodeToString(h.Sum(nil)), size, errors.Join(err, r.Close())
}

func (w *wanted) who() string {
	by := ""
	for i, s := range w.by {
		if i > 0 {
			by += ", the "
		}
		by += s
	}
	if w.more > 0 {
		by += " and more"
	}
	return by
}

// maxManifest is far above any real manifest; a larger one is not read.
const maxManifest = 64 << 20

// limited keeps what is written to it, up to maxManifest.
type limited struct {
	bytes.Buffer
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxManifest {
		l.over = true
		return len(p), nil
	}
	return l.Buffer.Write(p)
}
