package index

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meilisearch/meilisearch-go"
	"github.com/uptrace/bun"
)

// changeRow says that a record's document must be sent to the server. It is
// written with the document and taken away when the server has it, so that a
// crash in between only sends a document twice. A number remembered instead
// would not do: transactions that commit out of order would be skipped.
type changeRow struct {
	bun.BaseModel `bun:"table:search_change"`

	Seq      int64  `bun:"seq,pk,autoincrement"`
	RecordID string `bun:"record_id"`
}

// meiliDoc is a document as the server gets it.
type meiliDoc struct {
	ID         string `json:"id" bun:"record_id"`
	Kind       string `json:"kind" bun:"kind"`
	State      string `json:"state" bun:"state"`
	SourceID   string `json:"source_id" bun:"source_id"`
	Language   string `json:"language" bun:"language"`
	Visibility string `json:"visibility" bun:"visibility"`
	Author     string `json:"author" bun:"author"`
	T          int64  `json:"t" bun:"t"` // microseconds since 1970
	Text       string `json:"text" bun:"text"`
}

const (
	batch    = 500
	look     = 500 * time.Millisecond // for what other processes wrote
	sendIn   = 2 * time.Minute
	slowest  = 30 * time.Second // between attempts at a server that does not answer
	taskPoll = 50 * time.Millisecond
)

// remember notes which server is being told. One that is new to us is told
// everything.
func (m *meili) remember(ctx context.Context, server string) error {
	return m.write.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		n, err := tx.NewSelect().Table("search_server").Where("url = ?", server).Count(ctx)
		if err != nil || n > 0 {
			return err
		}
		for _, q := range []string{"DELETE FROM search_server", "DELETE FROM search_change",
			"INSERT INTO search_change (record_id) SELECT record_id FROM search_doc ORDER BY id"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		_, err = tx.NewRaw("INSERT INTO search_server (url) VALUES (?)", server).Exec(ctx)
		return err
	})
}

// forgetServer drops what was kept for a server that is no longer used.
func forgetServer(ctx context.Context, write *bun.DB) error {
	n, err := write.NewSelect().Table("search_server").Count(ctx)
	if err != nil {
		return fmt.Errorf("open index: %w", err)
	}
	if n == 0 {
		return nil
	}
	return write.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, q := range []string{"DELETE FROM search_server", "DELETE FROM search_change"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return fmt.Errorf("open index: %w", err)
			}
		}
		return nil
	})
}

// waiting reports whether the server has not been told everything yet.
func (m *meili) waiting(ctx context.Context) (bool, error) {
	var one []int
	err := m.read.NewRaw("SELECT 1 FROM search_change LIMIT 1").Scan(ctx, &one)
	return len(one) > 0, err
}

// push tells the server what changed until the context ends.
func (m *meili) push(ctx context.Context) {
	defer close(m.ended)
	ready, pause := false, look
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-m.nudge:
			timer.Stop()
		case <-timer.C:
		}
		err := m.pushAll(ctx, &ready)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			pause = min(2*pause, slowest)
			m.log.Warn("the search server was not told of changes; trying again", "error", err, "in", pause)
		default:
			pause = look
		}
	}
}

func (m *meili) pushAll(ctx context.Context, ready *bool) error {
	ctx, cancel := context.WithTimeout(ctx, sendIn)
	defer cancel()
	if !*ready {
		if err := m.prepare(ctx); err != nil {
			return err
		}
		*ready = true
	}
	for {
		var changes []changeRow
		if err := m.read.NewSelect().Model(&changes).OrderBy("seq", bun.OrderAsc).Limit(batch).Scan(ctx); err != nil {
			return err
		}
		if len(changes) == 0 {
			return nil
		}
		if err := m.send(ctx, changes); err != nil {
			*ready = false // the index itself may be gone
			return err
		}
	}
}

func (m *meili) send(ctx context.Context, changes []changeRow) error {
	ids, seqs := make([]string, len(changes)), make([]int64, len(changes))
	for i, c := range changes {
		ids[i], seqs[i] = c.RecordID, c.Seq
	}
	var docs []meiliDoc
	err := m.read.NewSelect().Table("search_doc").
		Column("record_id", "kind", "state", "source_id", "language", "visibility", "author", "t", "text").
		Where("record_id IN (?)", bun.List(ids)).Scan(ctx, &docs)
	if err != nil {
		return err
	}
	if len(docs) > 0 {
		key := "id"
		info, err := m.index.AddDocumentsWithContext(ctx, docs, &meilisearch.DocumentOptions{PrimaryKey: &key})
		if err := m.done(ctx, info, err); err != nil {
			return fmt.Errorf("send %d documents: %w", len(docs), err)
		}
	}
	_, err = m.write.NewDelete().Model((*changeRow)(nil)).Where("seq IN (?)", bun.List(seqs)).Exec(ctx)
	return err
}

// prepare makes the index and its settings what searches rely on.
func (m *meili) prepare(ctx context.Context) error {
	info, err := m.sends.CreateIndexWithContext(ctx, &meilisearch.IndexConfig{Uid: m.uid, PrimaryKey: "id"})
	var failed taskError
	if err := m.done(ctx, info, err); err != nil && !(errors.As(err, &failed) && failed.code == "index_already_exists") {
		return fmt.Errorf("make index %s: %w", m.uid, err)
	}
	info, err = m.index.UpdateSettingsWithContext(ctx, &meilisearch.Settings{
		SearchableAttributes: []string{"text", "author"},
		FilterableAttributes: []string{"kind", "state", "source_id", "language", "visibility", "t"},
		SortableAttributes:   []string{"t"},
		TypoTolerance: &meilisearch.TypoTolerance{
			Enabled: true, MinWordSizeForTypos: meilisearch.MinWordSizeForTypos{OneTypo: 5, TwoTypos: 9},
			DisableOnWords: []string{}, DisableOnAttributes: []string{}, DisableOnNumbers: true,
		},
		Pagination: &meilisearch.Pagination{MaxTotalHits: 10_000_000},
		Faceting:   &meilisearch.Faceting{MaxValuesPerFacet: 1000},
	})
	if err := m.done(ctx, info, err); err != nil {
		return fmt.Errorf("settings of index %s: %w", m.uid, err)
	}
	return nil
}

// done waits until the server has done what it accepted.
func (m *meili) done(ctx context.Context, info *meilisearch.TaskInfo, err error) error {
	if err != nil {
		return err
	}
	task, err := m.sends.WaitForTaskWithContext(ctx, info.TaskUID, taskPoll)
	if err != nil {
		return err
	}
	if task.Status != meilisearch.TaskStatusSucceeded {
		return taskError{task.Error.Code, fmt.Sprintf("task %d %s: %s", task.UID, task.Status, task.Error.Message)}
	}
	return nil
}

// taskError is why the server could not do what it had accepted.
type taskError struct{ code, text string }

func (e taskError) Error() string { return e.text }
