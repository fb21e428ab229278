// Package public is what everyone sees: the front page, the archive, asking for
// a record, following one's own request, and the pages about the site.
//
// It reaches the archive only through an interface whose methods cannot express
// a question for unreleased material, and still asks candor.Allow before any
// byte leaves. Each page is one file; handlers give back an error for everything
// that is not theirs to decide, and the portal turns it into a page.
package public

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/desk"
	"github.com/candor-archive/candor/portal/exhibit"
)

// Archive is the public side of the store. A record that is no longer public
// comes without words, author and captures; one that never was is NotFound.
type Archive interface {
	Search(ctx context.Context, q candor.Query) (candor.Results, error)
	Record(ctx context.Context, id string) (candor.RecordView, error)
	Capture(ctx context.Context, id string) (candor.CaptureView, error)
	Recent(ctx context.Context, limit int) ([]candor.Capture, error)
	OpenArtefact(ctx context.Context, captureID string, kind candor.ArtefactKind) (io.ReadSeekCloser, candor.Artefact, error)
	// OpenRendition is OpenArtefact for a further rendition; for the capture
	// proper when the name is empty.
	OpenRendition(ctx context.Context, captureID, rendition string, kind candor.ArtefactKind) (io.ReadSeekCloser, candor.Artefact, error)
	Request(ctx context.Context, number string) (candor.PublicRequest, error)
	Counts(ctx context.Context) (candor.Counts, error)
	Sources(ctx context.Context) ([]candor.Source, error)
	// Coverage leaves out what only staff may know of a gap.
	Coverage(ctx context.Context, sourceID string, from, to candor.Date) (candor.Coverage, error)
}

// Store is what else the public pages need to know.
type Store interface {
	Checkpoint(ctx context.Context) (note []byte, err error)
	// Verifier is the evidence log's public key.
	Verifier(ctx context.Context) (string, error)
}

// Desk does what a requester may do.
type Desk interface {
	File(ctx context.Context, p candor.Principal, in desk.FilingInput) (desk.Receipt, error)
	ByLink(ctx context.Context, secret string) (candor.Request, error)
	Follow(ctx context.Context, p candor.Principal) (desk.Following, error)
	Say(ctx context.Context, p candor.Principal, body string) error
	Withdraw(ctx context.Context, p candor.Principal, reason string) error
	SendFreshLink(ctx context.Context, number, email string) error
	OpenReleased(ctx context.Context, p candor.Principal, itemID string) (io.ReadSeekCloser, candor.ProductionItem, error)
	OpenBundle(ctx context.Context, p candor.Principal, productionID string) (body io.ReadSeekCloser, name string, size int64, err error)
}

// Sessions remember a browser that opened a private link.
type Sessions interface {
	// StartRequester gives the browser a new session for one request.
	StartRequester(w http.ResponseWriter, r *http.Request, requestID string) error
}

// Config is what Pages are made of.
type Config struct {
	Archive  Archive
	Store    Store
	Desk     Desk
	Sessions Sessions
	Exhibits exhibit.Minter
	BaseURL  string // without a slash at the end
	Secret   []byte // signs what a browser keeps for us
	Now      func() time.Time
	Log      *slog.Logger
}

// Pages are the handlers. They are safe for use by many at once.
type Pages struct {
	Config
	receipts *receipts
}

// New makes the pages.
func New(c Config) *Pages {
	return &Pages{Config: c, receipts: newReceipts(c.Secret, c.Now)}
}
