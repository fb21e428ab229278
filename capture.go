package candor

import "time"

// Profile is the kind of visitor a capture imitates.
type Profile string

// The profiles.
const (
	Desktop Profile = "desktop" // 1280×800 at scale 1, scrollbars hidden
	Mobile  Profile = "mobile"  // 390×844 at scale 2, touch, a phone's user agent
)

// Policy says what is done to a page before it is captured. The two are never
// mixed, and every capture says which it was.
type Policy string

// The policies.
const (
	PolicyLoad   Policy = "load"   // settle, no scrolling
	PolicyScroll Policy = "scroll" // walk down until the height is stable, back to the top, settle again
)

// Outcome is how a capture ended. Partial is a formal state, not a kind of
// success: something that should be there is not, and Reason says what.
type Outcome string

// The outcomes.
const (
	Complete Outcome = "complete"
	Partial  Outcome = "partial"
	Failed   Outcome = "failed"
)

// CaptureSpec asks for one capture. Its ID is fixed when it is asked for, so
// that a capture done twice after a crash is still one capture.
type CaptureSpec struct {
	ID          string    `json:"id"`
	URL         string    `json:"url"`
	Profile     Profile   `json:"profile"`
	Policy      Policy    `json:"policy"`
	Scale       float64   `json:"scale,omitempty"`   // pixels of the picture to one of the page: 1, 2 or 3; the profile's own when zero
	Also        []Profile `json:"also,omitempty"`    // further renditions of the same capture, each one more visit
	Cleaned     bool      `json:"cleaned,omitempty"` // and a labelled extra picture with cookie banners dismissed and animations ended
	SourceID    string    `json:"source_id,omitempty"`
	RecordID    string    `json:"record_id,omitempty"`
	Why         string    `json:"why,omitempty"`     // new, edited, deleted, hidden, proof, asked
	History     bool      `json:"history,omitempty"` // found at a source's first visit: it can wait
	ScheduledAt time.Time `json:"scheduled_at"`
}

// ArtefactKind says what one file of a capture is.
type ArtefactKind string

// The artefacts of a capture.
const (
	Screenshot ArtefactKind = "screenshot" // the whole page, PNG
	Snapshot   ArtefactKind = "snapshot"   // the DOM as one self-contained HTML file
	Text       ArtefactKind = "text"       // the visible words, UTF-8
	Layout     ArtefactKind = "layout"     // the words with their boxes, JSON
	Exchanges  ArtefactKind = "exchanges"  // requests and responses, one JSON object a line
	Body       ArtefactKind = "body"       // the body of one response
	Original   ArtefactKind = "original"   // the file itself, when the address leads to one and not to a page
	ManifestF  ArtefactKind = "manifest"   // the manifest itself
	Thumbnail  ArtefactKind = "thumbnail"  // a small picture of the top, derived from the screenshot
	TextTwin   ArtefactKind = "text_twin"  // the page as plain structured HTML, for those who cannot see the picture
	Difference ArtefactKind = "difference" // where the snapshot, opened again, differs from the screenshot, PNG
)

// RenditionCleaned names the files of the cleaned rendition. Those of a further
// profile carry the profile's name, those of the capture proper none.
const RenditionCleaned = "cleaned"

// File is one file of a capture as the manifest lists it.
type File struct {
	Kind      ArtefactKind `json:"kind"`
	Path      string       `json:"path"` // below the capture's directory, with slashes
	SHA256    string       `json:"sha256"`
	Size      int64        `json:"size"`
	MediaType string       `json:"media_type"`
	Width     int          `json:"width,omitempty"`  // pixels
	Height    int          `json:"height,omitempty"` // pixels
	Truncated bool         `json:"truncated,omitempty"`
	Rendition string       `json:"rendition,omitempty"` // of a further profile, or RenditionCleaned; empty for the capture proper
}

// StepOutcome is how one step of a capture ended.
type StepOutcome string

// The outcomes of a step.
const (
	StepDone     StepOutcome = "done"
	StepTimedOut StepOutcome = "timed_out"
	StepFailed   StepOutcome = "failed"
	StepSkipped  StepOutcome = "skipped"
)

// Step is one bounded thing a capture did, in order.
type Step struct {
	Name     string        `json:"name"`
	Outcome  StepOutcome   `json:"outcome"`
	Duration time.Duration `json:"duration_ns"`
	Detail   string        `json:"detail,omitempty"`
}

// Viewport is the window a capture was made in, in CSS pixels.
type Viewport struct {
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Scale  float64 `json:"scale"`
	Mobile bool    `json:"mobile"`
}

// GapCode says what kind of thing keeps a capture from being complete. The
// portal words each in its own languages.
type GapCode string

// The gaps. Those of the first group mean that what was wanted is not in the
// capture at all.
const (
	GapRefused     GapCode = "refused"      // our own rule on addresses
	GapUnreachable GapCode = "unreachable"  // no connection, no such name, TLS failed
	GapNoAnswer    GapCode = "no_answer"    // connected, but nothing came in time
	GapStatus      GapCode = "status"       // the server answered with an error; Detail is its number
	GapLoginWall   GapCode = "login_wall"   // a page that asks to sign in stands in its place
	GapBlocked     GapCode = "blocked"      // a page that says we may not see it
	GapChallenge   GapCode = "challenge"    // a page that wants proof of a person
	GapRateLimited GapCode = "rate_limited" // a page that says we ask too often
	GapSoftMissing GapCode = "soft_missing" // a page that says, with status 200, that there is nothing
	GapEmpty       GapCode = "empty"        // an application that never drew anything
	GapNotVisited  GapCode = "not_visited"  // nothing was asked for: no address, a worker's end

	GapSlow        GapCode = "slow"         // a step reached its limit; Detail is the step
	GapParts       GapCode = "parts"        // sub-resources failed; Detail is how many
	GapPartsDenied GapCode = "parts_denied" // sub-resources were refused; Detail is how many
	GapTruncated   GapCode = "truncated"    // the page is larger than is pictured; Detail is its height
	GapBlank       GapCode = "blank"        // a single colour, or bands where the layout has content
	GapNoPicture   GapCode = "no_picture"
	GapNoSnapshot  GapCode = "no_snapshot"
	GapNoText      GapCode = "no_text"
	GapMoved       GapCode = "moved"     // the page went on to another address, or in circles
	GapScript      GapCode = "script"    // a script did not stop and was ended
	GapCrashed     GapCode = "crashed"   // the page crashed the browser's tab
	GapLimits      GapCode = "limits"    // too many requests or bytes to record
	GapShown       GapCode = "shown"     // fewer comments are shown than the page says there are; Detail is "N of M"
	GapRendition   GapCode = "rendition" // a further rendition failed; Detail is its name
	GapCheck       GapCode = "check"     // the snapshot does not look like the picture; Detail is the share that differs, or "text", "requests" or "undone"
	GapOther       GapCode = "other"
)

// Gap is one thing that keeps a capture from being complete.
type Gap struct {
	Code   GapCode `json:"code"`
	Fatal  bool    `json:"fatal,omitempty"` // makes the outcome failed instead of partial
	Detail string  `json:"detail,omitempty"`
	Text   string  `json:"text"` // all of it in one English sentence, for logs and manifests
}

// Shown is how much of a thread a page showed, by its own count.
type Shown struct {
	What  string `json:"what"` // comments, replies, posts
	Shown int    `json:"shown"`
	Of    int    `json:"of"` // as the page states; 0 when it does not
}

// BehaviourRun is what one behaviour did to a page before it was captured.
type BehaviourRun struct {
	Name       string `json:"name"`
	Version    int    `json:"version"`              // of its file
	SHA256     string `json:"sha256"`               // of its file
	Unreviewed bool   `json:"unreviewed,omitempty"` // nobody has tried the file on the site's real pages
	Steps      []Step `json:"steps"`
}

// SelfCheck is what came out when the snapshot was opened again, offline and
// without scripts, and compared with the screenshot.
type SelfCheck struct {
	Pixels    int64         `json:"pixels"`    // of the screenshot
	Differing int64         `json:"differing"` // of them, by more than the threshold
	Threshold float64       `json:"threshold"` // least difference in YIQ space that counts, from 0 to 1
	SizeWrong bool          `json:"size_wrong,omitempty"`
	Requests  int           `json:"requests"`   // that the snapshot made or tried; must be 0
	TextEqual bool          `json:"text_equal"` // its visible words are those of the page
	Regions   []CheckRegion `json:"regions,omitempty"`
	Duration  time.Duration `json:"duration_ns"`
}

// Share is the part of the picture that differs, from 0 to 1; 1 when the sizes
// do.
func (c SelfCheck) Share() float64 {
	if c.SizeWrong || c.Pixels == 0 {
		return 1
	}
	return float64(c.Differing) / float64(c.Pixels)
}

// CheckShare is how much of the picture the snapshot may show otherwise before
// the capture counts as partial, and no longer as shown to be faithful. What
// cannot be held still, a video, a chart that draws itself or a blinking light,
// stays below it on nearly every page, and the check says where it is; a missing
// style sheet, font or frame goes far beyond.
const CheckShare = 0.01

// CheckRegion is one place where they differ, in CSS pixels of the page: left,
// top, width, height.
type CheckRegion struct {
	Box   [4]float64 `json:"box"`
	Share float64    `json:"share"`           // of the region's pixels
	Cause string     `json:"cause,omitempty"` // likely: video, animation, canvas, frame, image, font, text, unknown
}

// RenditionAccount is how a further rendition of a capture went.
type RenditionAccount struct {
	Name       string    `json:"name"` // as in File.Rendition
	Profile    Profile   `json:"profile"`
	Viewport   Viewport  `json:"viewport"`
	UserAgent  string    `json:"user_agent"`
	Outcome    Outcome   `json:"outcome"`
	FinalURL   string    `json:"final_url"`
	HTTPStatus int       `json:"http_status"`
	PageHeight int       `json:"page_height"`
	Started    time.Time `json:"started"`
	Shot       time.Time `json:"shot"`
	Steps      []Step    `json:"steps"`
	Gaps       []Gap     `json:"gaps,omitempty"`
	Altered    []string  `json:"altered,omitempty"` // what was done to the page for this rendition; nothing for a profile's
}

// Manifest is the honest account of one capture: what was asked, what was
// done, how each step ended and the hash of every file. It is written as JSON
// beside the files, is itself an object, and its hash is what the evidence log
// covers.
type Manifest struct {
	Version    int                `json:"version"` // of this format: 1
	ID         string             `json:"id"`
	URL        string             `json:"url"`
	FinalURL   string             `json:"final_url"`
	Title      string             `json:"title"`
	Language   string             `json:"language,omitempty"` // of the page, as it says
	Outcome    Outcome            `json:"outcome"`
	Reason     string             `json:"reason,omitempty"`
	HTTPStatus int                `json:"http_status"`
	RemoteAddr string             `json:"remote_addr,omitempty"`
	Profile    Profile            `json:"profile"`
	Policy     Policy             `json:"policy"`
	Viewport   Viewport           `json:"viewport"`
	PageHeight int                `json:"page_height"` // CSS pixels
	Scheduled  time.Time          `json:"scheduled"`
	Started    time.Time          `json:"started"`
	Navigated  time.Time          `json:"navigated"`
	Settled    time.Time          `json:"settled"`
	Shot       time.Time          `json:"shot"`
	Finished   time.Time          `json:"finished"`
	Browser    string             `json:"browser"`  // product and build
	Software   string             `json:"software"` // candor version
	UserAgent  string             `json:"user_agent"`
	Steps      []Step             `json:"steps"`
	Requests   int                `json:"requests"` // exchanges recorded
	Refused    []Refusal          `json:"refused,omitempty"`
	Gaps       []Gap              `json:"gaps,omitempty"` // fatal ones first; Reason is their texts joined
	Shown      []Shown            `json:"shown,omitempty"`
	Behaviours []BehaviourRun     `json:"behaviours,omitempty"`
	Check      *SelfCheck         `json:"check,omitempty"` // nil when this capture was not checked
	Renditions []RenditionAccount `json:"renditions,omitempty"`
	Files      []File             `json:"files"` // every file but the manifest itself; those of the capture proper first
}

// Refusal is a request that was not let through, and why.
type Refusal struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

// File gives the capture proper's file of a kind.
func (m Manifest) File(kind ArtefactKind) (File, bool) {
	for _, f := range m.Files {
		if f.Kind == kind && f.Rendition == "" {
			return f, true
		}
	}
	return File{}, false
}

// Capture is the act and result of visiting one address once, as the archive
// keeps it. It exists whole or not at all: its objects are durable, its rows
// are written and the evidence log covers it, all before it can be seen.
type Capture struct {
	ID          string
	SourceID    string
	RecordID    string // the post or page it shows; empty when made by hand
	URL         string
	FinalURL    string
	Title       string
	Profile     Profile
	Policy      Policy
	Outcome     Outcome
	Reason      string
	HTTPStatus  int
	Why         string
	PageHeight  int
	ScheduledAt time.Time
	StartedAt   time.Time
	FinishedAt  time.Time
	CommittedAt time.Time
	Browser     string
	ManifestSHA string
	Visibility  Visibility // narrower than its record's when it shows something since withdrawn
	EvidenceSeq int64      // its entry in the evidence log, from 0
}

// Artefact is one stored file of a capture.
type Artefact struct {
	CaptureID string
	N         int // position in the manifest; the manifest itself is 0
	Kind      ArtefactKind
	Name      string // the manifest's path
	SHA       string
	Size      int64
	MediaType string
	Width     int
	Height    int
	Truncated bool
	Rendition string // as in File; empty for the capture proper
}

// Jobs: work that is queued in the same transaction as what it follows from.
// Every job may run twice and must then do its work once.
type (
	// PollJob reads one source.
	PollJob struct {
		SourceID string `json:"source_id"`
	}
	// CaptureJob visits one address.
	CaptureJob struct {
		Spec CaptureSpec `json:"spec"`
	}
	// MailJob delivers one message of the outbox.
	MailJob struct {
		MailID string `json:"mail_id"`
	}
)

// Kind names the job in the queue.
func (PollJob) Kind() string { return "poll" }

// Kind names the job in the queue.
func (CaptureJob) Kind() string { return "capture" }

// Priority puts what someone waits for first (1), then what just changed and
// may soon look different, then proof, and the filling-in of history last (4).
func (j CaptureJob) Priority() int {
	switch {
	case j.Spec.Why == "asked":
		return 1
	case j.Spec.History:
		return 4
	case j.Spec.Why == "proof":
		return 3
	}
	return 2
}

// Kind names the job in the queue.
func (MailJob) Kind() string { return "mail" }

// Job is a piece of queued work.
type Job interface{ Kind() string }
