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
	ManifestF  ArtefactKind = "manifest"   // the manifest itself
	Thumbnail  ArtefactKind = "thumbnail"  // a small picture of the top, derived from the screenshot
)

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

// Manifest is the honest account of one capture: what was asked, what was
// done, how each step ended and the hash of every file. It is written as JSON
// beside the files, is itself an object, and its hash is what the evidence log
// covers.
type Manifest struct {
	Version    int       `json:"version"` // of this format: 1
	ID         string    `json:"id"`
	URL        string    `json:"url"`
	FinalURL   string    `json:"final_url"`
	Title      string    `json:"title"`
	Language   string    `json:"language,omitempty"` // of the page, as it says
	Outcome    Outcome   `json:"outcome"`
	Reason     string    `json:"reason,omitempty"`
	HTTPStatus int       `json:"http_status"`
	RemoteAddr string    `json:"remote_addr,omitempty"`
	Profile    Profile   `json:"profile"`
	Policy     Policy    `json:"policy"`
	Viewport   Viewport  `json:"viewport"`
	PageHeight int       `json:"page_height"` // CSS pixels
	Scheduled  time.Time `json:"scheduled"`
	Started    time.Time `json:"started"`
	Navigated  time.Time `json:"navigated"`
	Settled    time.Time `json:"settled"`
	Shot       time.Time `json:"shot"`
	Finished   time.Time `json:"finished"`
	Browser    string    `json:"browser"`  // product and build
	Software   string    `json:"software"` // candor version
	UserAgent  string    `json:"user_agent"`
	Steps      []Step    `json:"steps"`
	Requests   int       `json:"requests"` // exchanges recorded
	Refused    []Refusal `json:"refused,omitempty"`
	Files      []File    `json:"files"` // every file but the manifest itself
}

// Refusal is a request that was not let through, and why.
type Refusal struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

// File gives the first file of a kind.
func (m Manifest) File(kind ArtefactKind) (File, bool) {
	for _, f := range m.Files {
		if f.Kind == kind {
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
