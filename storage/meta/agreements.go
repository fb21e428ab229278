package meta

import (
	"context"

	"github.com/candor-archive/candor"
)

// AddAgreement keeps what the comparison of a capture's words with the
// platform's data found.
func (r Repo) AddAgreement(ctx context.Context, a candor.Agreement) error {
	return r.insert(ctx, &agreementRow{Agreement: a}, "agreement of capture "+a.CaptureID)
}

// Agreement gives what the comparison found; NotFound when there was none.
func (r Repo) Agreement(ctx context.Context, captureID string) (candor.Agreement, error) {
	row, err := one[agreementRow](ctx, r.db.NewSelect().Where("capture_id = ?", plain(captureID)), "comparison")
	return row.Agreement, err
}

// Wordings gives the wordings of records with when each was seen, by record id.
func (r Repo) Wordings(ctx context.Context, recordIDs []string) (map[string][]candor.Revision, error) {
	out := make(map[string][]candor.Revision, len(recordIDs))
	err := chunks(recordIDs, func(part []string) error {
		rows, err := list[revisionRow](ctx, r.db.NewSelect().Column("record_id", "n", "text", "seen_at").Where("record_id IN (?)", in(part)).
			Order("record_id", "n"), "read wordings")
		for _, v := range rows {
			out[v.RecordID] = append(out[v.RecordID], v.Revision)
		}
		return err
	})
	return out, err
}
