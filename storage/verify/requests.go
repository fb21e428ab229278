package verify

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// requests checks that each request stands where its events, which the log
// covers, have brought it, and that its words are those it was filed with.
func (k *check) requests(ctx context.Context) error {
	for after := ""; ; {
		var rows []struct {
			bun.BaseModel `bun:"table:requests"`
			candor.Request
		}
		if err := k.db.NewSelect().Model(&rows).Where("id > ?", after).Order("id").Limit(200).Scan(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		for _, r := range rows {
			if err := k.request(ctx, r.Request); err != nil {
				return err
			}
		}
		after = rows[len(rows)-1].ID
	}
}

func (k *check) request(ctx context.Context, r candor.Request) error {
	about := "request " + r.Number
	var events []eventRow
	if err := k.db.NewSelect().Model(&events).Where("request_id = ?", r.ID).Order("n").Scan(ctx); err != nil {
		return err
	}
	var stage candor.Stage
	for i, e := range events {
		if e.N != i+1 {
			k.fault("event missing", about, "The history of request %s (%s) has no event %d.", r.Number, r.ID, i+1)
			break
		}
		for _, t := range candor.Transitions {
			if t.Event == e.Kind && t.To != "" {
				stage = t.To
			}
		}
	}
	if len(events) == 0 {
		k.fault("event missing", about, "The request %s (%s) has no history at all, not even of being filed.", r.Number, r.ID)
	} else if stage != r.Stage {
		k.fault("row changed", about, "The request %s (%s) stands at stage %q in the database, but its history has brought it to %q.", r.Number, r.ID, r.Stage, stage)
	}
	var first messageRow
	found, err := one(ctx, k.db.NewSelect().Model(&first).Where("request_id = ?", r.ID).Order("n").Limit(1))
	switch {
	case err != nil:
		return err
	case !found && r.Text == "": // a note by phone may have come without words
	case !found:
		k.fault("row missing", about, "The request %s (%s) has lost the message it was filed with.", r.Number, r.ID)
	case first.Body != r.Text:
		k.fault("row changed", about, "The words of request %s (%s) are not those of the message it was filed with (%s).", r.Number, r.ID, first.ID)
	}
	return nil
}
