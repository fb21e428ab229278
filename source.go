package candor

import (
	"slices"
	"time"
)

// SourceKind says how a source is read.
type SourceKind string

// The kinds of source.
const (
	SourceFacebook  SourceKind = "facebook"  // a Facebook Page, by the Graph API and by browser
	SourceInstagram SourceKind = "instagram" // a professional account, by the Graph API and by browser
	SourceThreads   SourceKind = "threads"   // an account, by the Threads API and by browser
	SourceYouTube   SourceKind = "youtube"   // a channel, by the Data API and by browser
	SourceX         SourceKind = "x"         // an account, by the X API and by browser
	SourceNextdoor  SourceKind = "nextdoor"  // an agency account, by the Nextdoor API and by browser
	SourceBluesky   SourceKind = "bluesky"   // an account, by XRPC and by browser
	SourceMastodon  SourceKind = "mastodon"  // an account on a server that speaks Mastodon's API, and by browser
	SourceWebsite   SourceKind = "website"   // a website: feed, sitemap and links, by browser
	SourcePage      SourceKind = "page"      // one address, by browser alone
)

// SourceKinds lists all kinds, in the order they are offered.
var SourceKinds = []SourceKind{
	SourceFacebook, SourceInstagram, SourceThreads, SourceYouTube, SourceX, SourceNextdoor, SourceBluesky, SourceMastodon,
	SourceWebsite, SourcePage,
}

// Valid reports whether the kind is one we can read.
func (k SourceKind) Valid() bool { return slices.Contains(SourceKinds, k) }

// NeedsToken reports whether nothing of such a source can be read without an
// access token.
func (k SourceKind) NeedsToken() bool {
	switch k {
	case SourceFacebook, SourceInstagram, SourceThreads, SourceYouTube, SourceX, SourceNextdoor:
		return true
	}
	return false
}

// TakesToken reports whether sources of the kind are read with an access
// token, or may be.
func (k SourceKind) TakesToken() bool { return k.NeedsToken() || k == SourceMastodon }

// IsAccount reports whether sources of the kind are accounts, which a platform
// can be asked about, and not pages of the web.
func (k SourceKind) IsAccount() bool { return k.Valid() && k != SourceWebsite && k != SourcePage }

// Source is a site or account we are charged with capturing.
type Source struct {
	ID         string
	Kind       SourceKind
	Name       string // as staff and public call it
	URL        string // where a visitor finds it
	APIURL     string // base of the platform's API; empty for the platform's own
	AccountID  string // the account it belongs to
	Language   string // "en", "es": what it is mostly written in
	Department string
	Owner      string        // email address of who is told of trouble; empty: every administrator
	Public     bool          // what it shows the world is shown in the public archive
	Every      time.Duration // how often it is polled
	Paused     bool
	LastPollAt time.Time // zero: never
	NextPollAt time.Time
	LastError  string // why the last poll failed; empty when it did not
	CreatedAt  time.Time

	TokenSetAt   time.Time // when its access token was last set; zero: it has none
	TokenSetBy   string    // who set it, a user's id; empty when that is not known
	TokenExpires Date      // when the token ends, as staff say; empty: not known
}

// AccessError is why a platform does not tell us who an account is.
type AccessError struct {
	Reason GapReason
	Said   string // in the words of the platform or of the program, without credentials
}

func (e *AccessError) Error() string { return e.Said }

// Account is the identity that posts: a page, a channel, a website's owner.
type Account struct {
	ID         string
	Platform   string // the SourceKind it lives on
	PlatformID string // the platform's own id
	Handle     string
	Name       string
	URL        string
	FirstSeen  time.Time
}

// Agency is the local government this deployment serves.
type Agency struct {
	Name           string // City of Larkspur
	Short          string // prefix of request numbers: LPD
	Email          string // of the records office
	Phone          string
	Address        string
	TimeZone       string // IANA name; clocks count days here
	Jurisdiction   string // law profile: us-tx
	DesignatedDays []Date // non-business days the chief administrative officer designated
	OptionalDays   bool   // the optional holidays are observed
	CreatedAt      time.Time
}
