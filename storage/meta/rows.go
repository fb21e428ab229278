package meta

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// A row is the root's plain type with a table name, plus what only storage
// needs. Columns are the fields' names in snake case.
type (
	agencyRow struct {
		bun.BaseModel `bun:"table:agency,alias:agency"`
		ID            int64
		candor.Agency
	}
	userRow struct {
		bun.BaseModel `bun:"table:users,alias:u"`
		candor.User
	}
	sessionRow struct {
		bun.BaseModel `bun:"table:sessions,alias:s"`
		candor.Session
	}
	signInFailureRow struct {
		bun.BaseModel `bun:"table:sign_in_failures,alias:f"`
		ID            string
		Key           string
		At            time.Time
	}
	accountRow struct {
		bun.BaseModel `bun:"table:accounts,alias:a"`
		candor.Account
	}
	sourceRow struct {
		bun.BaseModel `bun:"table:sources,alias:s"`
		candor.Source
		Token      []byte // sealed
		State      []byte
		Removed    bool
		ExpiryTold int // reminders of the token's end that were sent
	}
	troubleRow struct {
		bun.BaseModel `bun:"table:source_troubles,alias:t"`
		candor.Trouble
	}
	recordRow struct {
		bun.BaseModel `bun:"table:records,alias:r"`
		candor.Record
		WasPublic bool // it was public at some time
	}
	pageTextRow struct {
		bun.BaseModel `bun:"table:page_texts,alias:p"`
		RecordID      string
		CaptureID     string
		Text          string
	}
	revisionRow struct {
		bun.BaseModel `bun:"table:revisions,alias:v"`
		candor.Revision
	}
	attachmentRow struct {
		bun.BaseModel `bun:"table:attachments,alias:a"`
		candor.Attachment
	}
	tombstoneRow struct {
		bun.BaseModel `bun:"table:tombstones,alias:t"`
		candor.Tombstone
	}
	answerRow struct {
		bun.BaseModel `bun:"table:answers,alias:a"`
		candor.Answer
	}
	captureRow struct {
		bun.BaseModel `bun:"table:captures,alias:c"`
		candor.Capture
	}
	artefactRow struct {
		bun.BaseModel `bun:"table:artefacts,alias:a"`
		candor.Artefact
	}
	agreementRow struct {
		bun.BaseModel `bun:"table:agreements,alias:g"`
		candor.Agreement
	}
	dayRow struct {
		bun.BaseModel `bun:"table:coverage_days,alias:d"`
		candor.DayLog
	}
	pauseRow struct {
		bun.BaseModel `bun:"table:coverage_pauses,alias:p"`
		candor.CoveragePause
	}
	requestRow struct {
		bun.BaseModel `bun:"table:requests,alias:q"`
		candor.Request
	}
	linkRow struct {
		bun.BaseModel `bun:"table:links,alias:l"`
		Hash          string
		RequestID     string
		CreatedAt     time.Time
		ReplacedAt    time.Time // zero while it opens the request
	}
	eventRow struct {
		bun.BaseModel `bun:"table:events,alias:e"`
		candor.Event
	}
	messageRow struct {
		bun.BaseModel `bun:"table:messages,alias:m"`
		candor.Message
		EventID string // the event it was sent in
		N       int    // position among the request's messages, from 1
	}
	responsiveRow struct {
		bun.BaseModel `bun:"table:responsive_records,alias:x"`
		candor.ResponsiveRecord
	}
	productionRow struct {
		bun.BaseModel `bun:"table:productions,alias:p"`
		candor.Production
	}
	itemRow struct {
		bun.BaseModel `bun:"table:production_items,alias:i"`
		candor.ProductionItem
	}
	releaseRow struct {
		bun.BaseModel `bun:"table:releases,alias:x"`
		candor.Release
	}
	mailRow struct {
		bun.BaseModel `bun:"table:mails,alias:m"`
		candor.Mail
	}
)

// models lists one row of every table, for the tests that compare them with
// the schema.
var models = []any{agencyRow{}, userRow{}, sessionRow{}, signInFailureRow{}, accountRow{}, sourceRow{}, troubleRow{}, recordRow{}, pageTextRow{},
	revisionRow{}, attachmentRow{}, tombstoneRow{}, answerRow{}, captureRow{}, artefactRow{}, agreementRow{}, dayRow{}, pauseRow{}, requestRow{}, linkRow{},
	eventRow{}, messageRow{}, responsiveRow{}, productionRow{}, itemRow{}, releaseRow{}, mailRow{}}
