package meta

import (
	"context"
	"time"

	"github.com/candor-archive/candor"
)

// NextNumber gives the next number of an agency's year, from 1. Two requests
// never get the same: the second waits for the first's transaction.
func (r Repo) NextNumber(ctx context.Context, short string, year int) (int, error) {
	var n int
	err := r.db.NewRaw("INSERT INTO request_numbers (short, year, last) VALUES (?, ?, 1) "+
		"ON CONFLICT (short, year) DO UPDATE SET last = request_numbers.last + 1 RETURNING last", short, year).Scan(ctx, &n)
	return n, failure(err, "give a request its number")
}

// AddRequest adds a request.
func (r Repo) AddRequest(ctx context.Context, q candor.Request) error {
	return r.insert(ctx, &requestRow{Request: q}, "request "+q.Number)
}

// UpdateRequest writes a request's changing columns if it is still at a stage;
// Conflict when it is not.
func (r Repo) UpdateRequest(ctx context.Context, q candor.Request, from candor.Stage) error {
	res, err := r.db.NewUpdate().Model(&requestRow{Request: q}).
		Column("stage", "disposition", "summary", "email", "assignee_id", "closed_at", "updated_at").
		Where("id = ?", q.ID).Where("stage = ?", from).Exec(ctx)
	if err = changed(res, err, "request at that stage"); candor.IsKind(err, candor.NotFound) {
		return candor.Errorf(candor.Conflict, "request %s is no longer at stage %s", q.Number, from)
	}
	return err
}

// LockRequest gives a request and, on PostgreSQL, makes others who act on it
// wait for this transaction's end.
func (r Repo) LockRequest(ctx context.Context, id string) (candor.Request, error) {
	q := r.db.NewSelect().Where("id = ?", plain(id))
	if r.engine == PostgreSQL {
		q = q.For("UPDATE")
	}
	row, err := one[requestRow](ctx, q, "request")
	return row.Request, err
}

// Request gives one request by id.
func (r Repo) Request(ctx context.Context, id string) (candor.Request, error) {
	row, err := one[requestRow](ctx, r.db.NewSelect().Where("id = ?", plain(id)), "request")
	return row.Request, err
}

// RequestByNumber gives one request by its label.
func (r Repo) RequestByNumber(ctx context.Context, number string) (candor.Request, error) {
	row, err := one[requestRow](ctx, r.db.NewSelect().Where("number = ?", plain(number)), "request")
	return row.Request, err
}

// RequestByLink gives the request a private link opens now.
func (r Repo) RequestByLink(ctx context.Context, hash string) (candor.Request, error) {
	row, err := one[requestRow](ctx, r.db.NewSelect().Join("JOIN links AS l ON l.request_id = q.id").
		Where("l.hash = ?", plain(hash)).Where("l.replaced_at = ?", time.Time{}), "request")
	return row.Request, err
}

// Requests lists requests, newest first.
func (r Repo) Requests(ctx context.Context, f candor.RequestFilter) ([]candor.Request, error) {
	q := r.db.NewSelect().OrderExpr("received_at DESC, number DESC")
	if f.Stage != "" {
		q = q.Where("stage = ?", f.Stage)
	}
	if f.Open {
		q = q.Where("stage <> ?", candor.Closed)
	}
	if f.AssigneeID != "" {
		q = q.Where("assignee_id = ?", plain(f.AssigneeID))
	}
	if f.Limit > 0 {
		q = q.Limit(int64(f.Limit))
	}
	rows, err := list[requestRow](ctx, q, "list requests")
	return each(rows, err, func(x requestRow) candor.Request { return x.Request })
}

// ReplaceLink makes a new private link the only one that opens a request.
func (r Repo) ReplaceLink(ctx context.Context, requestID, hash string, at time.Time) error {
	if _, err := r.db.NewUpdate().Model((*linkRow)(nil)).Set("replaced_at = ?", at).Where("request_id = ?", requestID).
		Where("replaced_at = ?", time.Time{}).Exec(ctx); err != nil {
		return failure(err, "replace private links")
	}
	return r.insert(ctx, &linkRow{Hash: hash, RequestID: requestID, CreatedAt: at}, "private link")
}

// Events lists the history of a request in order.
func (r Repo) Events(ctx context.Context, requestID string) ([]candor.Event, error) {
	rows, err := list[eventRow](ctx, r.db.NewSelect().Where("request_id = ?", requestID).Order("n"), "read events")
	return each(rows, err, func(x eventRow) candor.Event { return x.Event })
}

// AddEvent adds an event with the messages sent in it. The event's N must be
// one more than the newest; a Conflict means someone was quicker.
func (r Repo) AddEvent(ctx context.Context, e candor.Event, messages []candor.Message) error {
	if err := r.insert(ctx, &eventRow{Event: e}, "event"); err != nil {
		return err
	}
	if len(messages) == 0 {
		return nil
	}
	n, err := r.db.NewSelect().Model((*messageRow)(nil)).Where("request_id = ?", e.RequestID).Count(ctx)
	if err != nil {
		return failure(err, "count messages")
	}
	rows := make([]messageRow, len(messages))
	for i, m := range messages {
		rows[i] = messageRow{Message: m, EventID: e.ID, N: int(n) + i + 1}
	}
	return r.insert(ctx, &rows, "messages")
}

// LastEvent gives the N of a request's newest event, 0 without any.
func (r Repo) LastEvent(ctx context.Context, requestID string) (int, error) {
	var n int
	err := r.db.NewSelect().Model((*eventRow)(nil)).ColumnExpr("COALESCE(MAX(n), 0)").Where("request_id = ?", requestID).Scan(ctx, &n)
	return n, failure(err, "read the newest event")
}

// Messages lists the messages of a request in order.
func (r Repo) Messages(ctx context.Context, requestID string) ([]candor.Message, error) {
	rows, err := list[messageRow](ctx, r.db.NewSelect().Where("request_id = ?", requestID).Order("n"), "read messages")
	return each(rows, err, func(x messageRow) candor.Message { return x.Message })
}

// AddResponsive adds records marked responsive.
func (r Repo) AddResponsive(ctx context.Context, marks []candor.ResponsiveRecord) error {
	rows := make([]responsiveRow, len(marks))
	for i, m := range marks {
		rows[i].ResponsiveRecord = m
	}
	return r.insert(ctx, &rows, "responsive records")
}

// RemoveResponsive takes marks of a request back.
func (r Repo) RemoveResponsive(ctx context.Context, requestID string, ids []string) error {
	return chunks(ids, func(part []string) error {
		_, err := r.db.NewDelete().Model((*responsiveRow)(nil)).Where("request_id = ?", requestID).Where("id IN (?)", in(part)).Exec(ctx)
		return failure(err, "take back marks")
	})
}

// Responsive lists the responsive records of a request in the order marked.
func (r Repo) Responsive(ctx context.Context, requestID string) ([]candor.ResponsiveRecord, error) {
	rows, err := list[responsiveRow](ctx, r.db.NewSelect().Where("request_id = ?", requestID).Order("marked_at", "id"), "read responsive records")
	return each(rows, err, func(x responsiveRow) candor.ResponsiveRecord { return x.ResponsiveRecord })
}

// AddProduction adds a sealed production.
func (r Repo) AddProduction(ctx context.Context, p candor.Production) error {
	return r.insert(ctx, &productionRow{Production: p}, "production")
}

// UpdateProduction writes what was decided about a production. What was sealed
// never changes.
func (r Repo) UpdateProduction(ctx context.Context, p candor.Production) error {
	res, err := r.db.NewUpdate().Model(&productionRow{Production: p}).Column("state", "approved_by", "approved_at", "reason").
		Where("id = ?", p.ID).Where("request_id = ?", p.RequestID).Exec(ctx)
	return changed(res, err, "production")
}

// AddItems adds the items of a production.
func (r Repo) AddItems(ctx context.Context, items []candor.ProductionItem) error {
	rows := make([]itemRow, len(items))
	for i, x := range items {
		rows[i].ProductionItem = x
	}
	return r.insert(ctx, &rows, "production items")
}

// Productions lists the productions of a request in the order prepared.
func (r Repo) Productions(ctx context.Context, requestID string) ([]candor.Production, error) {
	rows, err := list[productionRow](ctx, r.db.NewSelect().Where("request_id = ?", requestID).Order("prepared_at", "id"), "read productions")
	return each(rows, err, func(x productionRow) candor.Production { return x.Production })
}

// Items lists the items of all productions of a request.
func (r Repo) Items(ctx context.Context, requestID string) ([]candor.ProductionItem, error) {
	rows, err := list[itemRow](ctx, r.db.NewSelect().Join("JOIN productions AS p ON p.id = i.production_id").
		Where("p.request_id = ?", requestID).OrderExpr("p.prepared_at, p.id, i.n"), "read production items")
	return each(rows, err, func(x itemRow) candor.ProductionItem { return x.ProductionItem })
}

// AddRelease adds a release.
func (r Repo) AddRelease(ctx context.Context, x candor.Release) error {
	return r.insert(ctx, &releaseRow{Release: x}, "release")
}

// Releases lists the releases of a request in order.
func (r Repo) Releases(ctx context.Context, requestID string) ([]candor.Release, error) {
	rows, err := list[releaseRow](ctx, r.db.NewSelect().Where("request_id = ?", requestID).Order("at", "id"), "read releases")
	return each(rows, err, func(x releaseRow) candor.Release { return x.Release })
}
