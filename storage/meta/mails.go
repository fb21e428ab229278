package meta

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
)

// AddMails adds messages to the outbox.
func (r Repo) AddMails(ctx context.Context, mails []candor.Mail) error {
	rows := make([]mailRow, len(mails))
	for i, m := range mails {
		rows[i].Mail = m
	}
	return r.insert(ctx, &rows, "mails")
}

// Mail gives one message of the outbox.
func (r Repo) Mail(ctx context.Context, id string) (candor.Mail, error) {
	row, err := one[mailRow](ctx, r.db.NewSelect().Where("id = ?", plain(id)), "mail")
	return row.Mail, err
}

// Outbox lists messages, newest first.
func (r Repo) Outbox(ctx context.Context, limit int) ([]candor.Mail, error) {
	rows, err := list[mailRow](ctx, r.db.NewSelect().OrderExpr("created_at DESC, id").Limit(int64(limit)), "read the outbox")
	return each(rows, err, func(x mailRow) candor.Mail { return x.Mail })
}

// MailsOf lists the messages of a request in order.
func (r Repo) MailsOf(ctx context.Context, requestID string) ([]candor.Mail, error) {
	rows, err := list[mailRow](ctx, r.db.NewSelect().Where("request_id = ?", requestID).Order("created_at", "id"), "read mails")
	return each(rows, err, func(x mailRow) candor.Mail { return x.Mail })
}

// SetMailState keeps how a delivery went, counting the attempt, and the body
// as it may be kept from now on.
func (r Repo) SetMailState(ctx context.Context, id, state, errText, body string, at time.Time) error {
	q := r.db.NewUpdate().Model((*mailRow)(nil)).Set("state = ?", state).Set("error = ?", plain(errText)).Set("body = ?", body).
		Set("attempts = attempts + 1").Where("id = ?", id)
	if state == "sent" {
		q = q.Set("sent_at = ?", candor.Moment(at))
	}
	res, err := q.Exec(ctx)
	return changed(res, err, "mail")
}
