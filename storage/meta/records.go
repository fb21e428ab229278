package meta

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

func in(ids []string) any { return bun.List(ids) }

// states lists the record states that are as wanted.
func states(wanted func(candor.RecordState) bool) any {
	var out []string
	for _, s := range candor.RecordStates {
		if wanted(s) {
			out = append(out, string(s))
		}
	}
	return bun.List(out)
}

// Stored is a record with what only storage knows of it.
type Stored struct {
	candor.Record
	WasPublic bool // it was public at some time
}

func stored(row recordRow) Stored { return Stored{row.Record, row.WasPublic} }

// Record gives one record.
func (r Repo) Record(ctx context.Context, id string) (Stored, error) {
	row, err := one[recordRow](ctx, r.db.NewSelect().Where("id = ?", plain(id)), "record")
	return stored(row), err
}

// Records gives records by id; absent ones are left out.
func (r Repo) Records(ctx context.Context, ids []string) (map[string]Stored, error) {
	out := make(map[string]Stored, len(ids))
	err := chunks(ids, func(part []string) error {
		rows, err := list[recordRow](ctx, r.db.NewSelect().Where("id IN (?)", in(part)), "read records")
		for _, x := range rows {
			out[x.ID] = stored(x)
		}
		return err
	})
	return out, err
}

// LockThreads makes transactions that decide what a thread's captures may show
// wait for one another. On SQLite they do so already.
func (r Repo) LockThreads(ctx context.Context, roots []string) error {
	if r.engine == SQLite {
		return nil
	}
	roots = slices.Sorted(slices.Values(roots))
	return chunks(slices.Compact(roots), func(part []string) error {
		var ids []string
		err := r.db.NewSelect().Model((*recordRow)(nil)).Column("id").Where("id IN (?)", in(part)).Order("id").For("UPDATE").Scan(ctx, &ids)
		return failure(err, "lock threads")
	})
}

// AddRecord adds a record; Conflict when its source has its UID already.
func (r Repo) AddRecord(ctx context.Context, x Stored) error {
	return r.insert(ctx, &recordRow{Record: x.Record, WasPublic: x.WasPublic}, "record "+x.UID)
}

// UpdateRecord writes all of a record but its identity and its first sight.
func (r Repo) UpdateRecord(ctx context.Context, x Stored) error {
	res, err := r.db.NewUpdate().Model(&recordRow{Record: x.Record, WasPublic: x.WasPublic}).
		ExcludeColumn("id", "source_id", "uid", "kind", "first_seen").Where("id = ?", x.ID).Exec(ctx)
	return changed(res, err, "record")
}

// TouchRecords moves when records of a source were last seen.
func (r Repo) TouchRecords(ctx context.Context, sourceID string, ids []string, at time.Time) error {
	return chunks(ids, func(part []string) error {
		_, err := r.db.NewUpdate().Model((*recordRow)(nil)).Set("last_seen = ?", at).
			Where("source_id = ?", sourceID).Where("id IN (?)", in(part)).Where("last_seen < ?", at).Exec(ctx)
		return failure(err, "note records as seen")
	})
}

// Thread lists the records of a thread, oldest first.
func (r Repo) Thread(ctx context.Context, root string) ([]candor.Record, error) {
	rows, err := list[recordRow](ctx, r.db.NewSelect().Where("thread_id = ?", root).Order("posted_at", "first_seen", "id"), "read a thread")
	return each(rows, err, func(x recordRow) candor.Record { return x.Record })
}

// Withdrawn counts records of a thread that are withdrawn and were not
// yet known to be at a moment: what a picture begun then may still show. With
// the zero moment it counts them all.
func (r Repo) Withdrawn(ctx context.Context, root string, at time.Time) (int, error) {
	n, err := r.db.NewSelect().Model((*recordRow)(nil)).Where("thread_id = ?", root).
		Where("state IN (?)", states(candor.RecordState.Withdrawn)).
		Where("(state_since >= ? OR id IN (SELECT record_id FROM tombstones WHERE noticed_at >= ?))", at, at).Count(ctx)
	return int(n), failure(err, "count what was withdrawn from a thread")
}

// KnownByUID gives what is known of records of a source, by UID.
func (r Repo) KnownByUID(ctx context.Context, sourceID string, uids []string) ([]candor.Known, error) {
	var all []recordRow
	err := chunks(uids, func(part []string) error {
		rows, err := list[recordRow](ctx, r.db.NewSelect().Where("source_id = ?", sourceID).Where("uid IN (?)", in(part)), "look up records")
		all = append(all, rows...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.known(ctx, all)
}

// KnownUnseen lists records of a source that are not known to be gone and were
// last seen before a moment, the longest unseen first.
func (r Repo) KnownUnseen(ctx context.Context, sourceID string, since time.Time, limit int) ([]candor.Known, error) {
	rows, err := list[recordRow](ctx, r.db.NewSelect().Where("source_id = ?", sourceID).Where("last_seen < ?", candor.Moment(since)).
		Where("state IN (?)", states(candor.RecordState.Present)).Order("last_seen", "id").Limit(int64(limit)), "list unseen records")
	if err != nil {
		return nil, err
	}
	return r.known(ctx, rows)
}

func (r Repo) known(ctx context.Context, rows []recordRow) ([]candor.Known, error) {
	ids := make([]string, len(rows))
	for i, x := range rows {
		ids[i] = x.ID
	}
	hashes, open := map[string]string{}, map[string]bool{}
	err := chunks(ids, func(part []string) error {
		var newest []struct{ RecordID, ContentHash string }
		if err := r.db.NewSelect().Model((*revisionRow)(nil)).Column("record_id", "content_hash").Where("record_id IN (?)", in(part)).
			Order("record_id", "n").Scan(ctx, &newest); err != nil {
			return failure(err, "read newest revisions")
		}
		for _, v := range newest {
			hashes[v.RecordID] = v.ContentHash
		}
		tombs, err := list[tombstoneRow](ctx, r.db.NewSelect().Where("record_id IN (?)", in(part)).Where("closed_at = ?", time.Time{}), "read tombstones")
		for _, t := range tombs {
			open[t.RecordID] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]candor.Known, len(rows))
	for i, x := range rows {
		out[i] = candor.Known{Record: x.Record, ContentHash: hashes[x.ID], HasOpenTomb: open[x.ID]}
	}
	return out, nil
}

// AddRevision adds a revision with its attachments.
func (r Repo) AddRevision(ctx context.Context, v candor.Revision, attachments []candor.Attachment) error {
	if err := r.insert(ctx, &revisionRow{Revision: v}, "revision"); err != nil {
		return err
	}
	rows := make([]attachmentRow, len(attachments))
	for i, a := range attachments {
		rows[i].Attachment = a
	}
	return r.insert(ctx, &rows, "attachments")
}

// Revisions lists the revisions of a record, newest first.
func (r Repo) Revisions(ctx context.Context, recordID string) ([]candor.Revision, error) {
	rows, err := list[revisionRow](ctx, r.db.NewSelect().Where("record_id = ?", recordID).OrderExpr("n DESC"), "read revisions")
	return each(rows, err, func(x revisionRow) candor.Revision { return x.Revision })
}

// NewestTexts gives the newest wording of records, by record id.
func (r Repo) NewestTexts(ctx context.Context, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	err := chunks(ids, func(part []string) error {
		rows, err := list[revisionRow](ctx, r.db.NewSelect().Column("record_id", "n", "text").Where("record_id IN (?)", in(part)).
			Order("record_id", "n"), "read newest wordings")
		for _, v := range rows {
			out[v.RecordID] = v.Text
		}
		return err
	})
	return out, err
}

// Attachments gives attachments by revision id, in order.
func (r Repo) Attachments(ctx context.Context, revisionIDs []string) (map[string][]candor.Attachment, error) {
	out := map[string][]candor.Attachment{}
	err := chunks(revisionIDs, func(part []string) error {
		rows, err := list[attachmentRow](ctx, r.db.NewSelect().Where("revision_id IN (?)", in(part)).Order("revision_id", "n"), "read attachments")
		for _, a := range rows {
			out[a.RevisionID] = append(out[a.RevisionID], a.Attachment)
		}
		return err
	})
	return out, err
}

// AddTombstone adds a tombstone.
func (r Repo) AddTombstone(ctx context.Context, t candor.Tombstone) error {
	return r.insert(ctx, &tombstoneRow{Tombstone: t}, "tombstone")
}

// CloseTombstone notes that a record came back.
func (r Repo) CloseTombstone(ctx context.Context, id string, at time.Time) error {
	res, err := r.db.NewUpdate().Model((*tombstoneRow)(nil)).Set("closed_at = ?", at).Where("id = ?", id).Exec(ctx)
	return changed(res, err, "tombstone")
}

// Tombstones lists the tombstones of a record, newest first.
func (r Repo) Tombstones(ctx context.Context, recordID string) ([]candor.Tombstone, error) {
	rows, err := list[tombstoneRow](ctx, r.db.NewSelect().Where("record_id = ?", recordID).OrderExpr("noticed_at DESC, id"), "read tombstones")
	return each(rows, err, func(x tombstoneRow) candor.Tombstone { return x.Tombstone })
}

// SaveAnswer keeps a verbatim answer. When the same bytes were the last answer
// of the same address, only the moment and the count move.
func (r Repo) SaveAnswer(ctx context.Context, a candor.Answer) error {
	rows, err := list[answerRow](ctx, r.db.NewSelect().Where("source_id = ?", a.SourceID).Where("url = ?", a.URL).
		Where("method = ?", a.Method).OrderExpr("last_at DESC, fetched_at DESC").Limit(1), "read the last answer")
	if err != nil {
		return err
	}
	if len(rows) == 1 && rows[0].SHA == a.SHA && rows[0].Status == a.Status {
		res, err := r.db.NewUpdate().Model((*answerRow)(nil)).Set("last_at = ?", a.LastAt).Set("times = times + ?", a.Times).
			Where("id = ?", rows[0].ID).Exec(ctx)
		return changed(res, err, "answer")
	}
	return r.insert(ctx, &answerRow{Answer: a}, "answer")
}

// Answers lists the answers of a source, oldest first.
func (r Repo) Answers(ctx context.Context, sourceID string) ([]candor.Answer, error) {
	rows, err := list[answerRow](ctx, r.db.NewSelect().Where("source_id = ?", sourceID).Order("fetched_at", "id"), "read answers")
	return each(rows, err, func(x answerRow) candor.Answer { return x.Answer })
}

// SavePageText keeps the words of the newest capture of a page.
func (r Repo) SavePageText(ctx context.Context, recordID, captureID, text string) error {
	_, err := r.db.NewInsert().Model(&pageTextRow{RecordID: recordID, CaptureID: captureID, Text: text}).
		On("CONFLICT (record_id) DO UPDATE").Set("capture_id = EXCLUDED.capture_id, text = EXCLUDED.text").Exec(ctx)
	return failure(err, "save the words of a page")
}

// PageText gives the words of the newest capture of a page, "" when none.
func (r Repo) PageText(ctx context.Context, recordID string) (string, error) {
	rows, err := list[pageTextRow](ctx, r.db.NewSelect().Where("record_id = ?", recordID), "read the words of a page")
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].Text, nil
}
