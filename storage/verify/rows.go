package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// The rows the log covers, with the columns the tables have.
type (
	captureRow struct {
		bun.BaseModel `bun:"table:captures"`
		candor.Capture
	}
	artefactRow struct {
		bun.BaseModel `bun:"table:artefacts"`
		candor.Artefact
	}
	revisionRow struct {
		bun.BaseModel `bun:"table:revisions"`
		candor.Revision
	}
	attachmentRow struct {
		bun.BaseModel `bun:"table:attachments"`
		candor.Attachment
	}
	tombstoneRow struct {
		bun.BaseModel `bun:"table:tombstones"`
		candor.Tombstone
	}
	eventRow struct {
		bun.BaseModel `bun:"table:events"`
		candor.Event
	}
	messageRow struct {
		bun.BaseModel `bun:"table:messages"`
		candor.Message
		EventID string
		N       int
	}
	productionRow struct {
		bun.BaseModel `bun:"table:productions"`
		candor.Production
	}
	itemRow struct {
		bun.BaseModel `bun:"table:production_items"`
		candor.ProductionItem
	}
	releaseRow struct {
		bun.BaseModel `bun:"table:releases"`
		candor.Release
	}
)

// names is what each kind of entry is called, and where its rows are.
var names = map[candor.EvidenceKind]struct{ noun, table string }{
	candor.EvidenceCapture:    {"capture", "captures"},
	candor.EvidenceRevision:   {"revision", "revisions"},
	candor.EvidenceTombstone:  {"tombstone", "tombstones"},
	candor.EvidenceEvent:      {"request event", "events"},
	candor.EvidenceProduction: {"production", "productions"},
	candor.EvidenceRelease:    {"release", "releases"},
}

// subject recomputes what an entry covers from the rows and compares.
func (k *check) subject(ctx context.Context, e candor.EvidenceEntry) error {
	if e.Kind == candor.EvidenceSettings {
		var body struct {
			V    int                 `json:"v"`
			Kind candor.EvidenceKind `json:"kind"`
		}
		if err := json.Unmarshal(e.Body, &body); err != nil || body.Kind != e.Kind {
			k.fault("entry unreadable", entryName(e.Seq), "Entry %d of the evidence log, about settings, cannot be read.", e.Seq)
		}
		return nil
	}
	name, known := names[e.Kind]
	if !known {
		k.fault("entry of unknown kind", entryName(e.Seq), "Entry %d of the evidence log is of a kind (%q) this version does not know.", e.Seq, e.Kind)
		return nil
	}
	bodies, found, err := k.recompute(ctx, e)
	if err != nil {
		return fmt.Errorf("%s %s: %w", name.noun, e.Subject, err)
	}
	about := name.noun + " " + e.Subject
	if !found {
		k.fault("row missing", about, "The evidence log (entry %d) covers the %s %s, but it is no longer in the database.", e.Seq, name.noun, e.Subject)
		return nil
	}
	for _, b := range bodies {
		if bytes.Equal(b, e.Body) {
			return nil
		}
	}
	k.fault("row changed", about, "The %s %s in the database is not what the evidence log says (entry %d): %s.", name.noun, e.Subject, e.Seq, difference(e.Body, bodies[0]))
	return nil
}

// recompute gives what the log may say of an entry's subject, by the rows.
func (k *check) recompute(ctx context.Context, e candor.EvidenceEntry) (bodies [][]byte, found bool, err error) {
	by := func(model any, column, id string) *bun.SelectQuery {
		return k.db.NewSelect().Model(model).Where("? = ?", bun.Ident(column), id)
	}
	switch e.Kind {
	case candor.EvidenceCapture:
		var c captureRow
		if found, err = one(ctx, by(&c, "id", e.Subject)); !found {
			return nil, found, err
		}
		files, err := artefacts(ctx, k.db, e.Subject)
		if err != nil {
			return nil, true, err
		}
		k.capture(e, c.Capture, files)
		bodies = append(bodies, c.EvidenceBody(files))
	case candor.EvidenceRevision:
		var r revisionRow
		if found, err = one(ctx, by(&r, "id", e.Subject)); !found {
			return nil, found, err
		}
		var rows []attachmentRow
		if err := by(&rows, "revision_id", e.Subject).Order("n").Scan(ctx); err != nil {
			return nil, true, err
		}
		list := make([]candor.Attachment, len(rows))
		for i, x := range rows {
			list[i] = x.Attachment
		}
		bodies = append(bodies, r.EvidenceBody(list))
	case candor.EvidenceTombstone:
		var t tombstoneRow
		if found, err = one(ctx, by(&t, "id", e.Subject)); !found {
			return nil, found, err
		}
		whole := t.Tombstone.EvidenceBody()
		bodies = append(bodies, whole)
		if !t.ClosedAt.IsZero() {
			// It has two entries: one from when it was written, one from when
			// the record came back.
			if bytes.Equal(whole, e.Body) {
				k.covered[e.Subject] = true
			}
			open := t.Tombstone
			open.ClosedAt = time.Time{}
			bodies = append(bodies, open.EvidenceBody())
		}
	case candor.EvidenceEvent:
		var v eventRow
		if found, err = one(ctx, by(&v, "id", e.Subject)); !found {
			return nil, found, err
		}
		var rows []messageRow
		if err := by(&rows, "event_id", e.Subject).Order("n").Scan(ctx); err != nil {
			return nil, true, err
		}
		list := make([]candor.Message, len(rows))
		for i, x := range rows {
			list[i] = x.Message
		}
		bodies = append(bodies, v.Event.EvidenceBody(list))
	case candor.EvidenceProduction:
		var p productionRow
		if found, err = one(ctx, by(&p, "id", e.Subject)); !found {
			return nil, found, err
		}
		var rows []itemRow
		if err := by(&rows, "production_id", e.Subject).Order("n").Scan(ctx); err != nil {
			return nil, true, err
		}
		list := make([]candor.ProductionItem, len(rows))
		for i, x := range rows {
			list[i] = x.ProductionItem
		}
		bodies = append(bodies, p.Production.EvidenceBody(list))
	case candor.EvidenceRelease:
		var r releaseRow
		if found, err = one(ctx, by(&r, "id", e.Subject)); !found {
			return nil, found, err
		}
		bodies = append(bodies, r.Release.EvidenceBody())
	}
	return bodies, true, nil
}

func artefacts(ctx context.Context, db bun.IDB, captureID string) ([]candor.Artefact, error) {
	var rows []artefactRow
	if err := db.NewSelect().Model(&rows).Where("capture_id = ?", captureID).Order("n").Scan(ctx); err != nil {
		return nil, err
	}
	files := make([]candor.Artefact, len(rows))
	for i, x := range rows {
		files[i] = x.Artefact
	}
	return files, nil
}

// difference says in which fields two bodies differ.
func difference(logged, now []byte) string {
	type body struct {
		Data map[string]json.RawMessage `json:"data"`
	}
	var a, b body
	if json.Unmarshal(logged, &a) != nil || json.Unmarshal(now, &b) != nil {
		return "the entry cannot be read"
	}
	var fields []string
	for name, was := range a.Data {
		if is := b.Data[name]; !bytes.Equal(was, is) {
			fields = append(fields, fmt.Sprintf("%s was %s and is %s", name, short(was), short(is)))
		}
	}
	for name := range b.Data {
		if _, ok := a.Data[name]; !ok {
			fields = append(fields, name+" was not there")
		}
	}
	slices.Sort(fields)
	if len(fields) == 0 {
		return "it is written in another form"
	}
	return strings.Join(fields, "; ")
}

func short(b []byte) string {
	const most = 120
	s := []rune(string(b))
	if len(s) > most {
		return string(s[:most]) + "…"
	}
	return string(s)
}

// rows names the rows that should be covered by the log and are not.
func (k *check) rows(ctx context.Context) error {
	for _, kind := range []candor.EvidenceKind{candor.EvidenceCapture, candor.EvidenceRevision, candor.EvidenceTombstone,
		candor.EvidenceEvent, candor.EvidenceProduction, candor.EvidenceRelease} {
		name := names[kind]
		var ids []string
		err := k.db.NewRaw("SELECT id FROM ? AS x WHERE NOT EXISTS (SELECT 1 FROM evidence_entry AS e WHERE e.subject = x.id AND e.kind = ?) ORDER BY id",
			bun.Ident(name.table), string(kind)).Scan(ctx, &ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			k.fault("row without evidence", name.noun+" "+id, "The %s %s is in the database, but no entry of the evidence log covers it: it was added by hand, or its entry was dropped.", name.noun, id)
		}
	}
	var closed []tombstoneRow
	if err := k.db.NewSelect().Model(&closed).Where("closed_at > ?", time.Time{}).Scan(ctx); err != nil {
		return err
	}
	for _, t := range closed {
		if !k.covered[t.ID] {
			k.fault("row without evidence", "tombstone "+t.ID, "The tombstone %s is marked as closed, but no entry of the evidence log says that its record came back.", t.ID)
		}
	}
	return nil
}
