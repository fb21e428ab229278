package candor

import (
	"encoding/json"
	"time"
)

// EvidenceKind says what an entry of the evidence log covers.
type EvidenceKind string

// What the log covers.
const (
	EvidenceCapture    EvidenceKind = "capture"
	EvidenceRevision   EvidenceKind = "revision"
	EvidenceTombstone  EvidenceKind = "tombstone"
	EvidenceEvent      EvidenceKind = "event" // of a request, with its messages
	EvidenceProduction EvidenceKind = "production"
	EvidenceRelease    EvidenceKind = "release"
	EvidenceSettings   EvidenceKind = "settings" // sources, users, agency
)

// EvidenceEntry is one leaf of the append-only Merkle log. Body is the exact
// bytes that are hashed (RFC 6962 leaf hash); they are never printed again
// from parsed form.
type EvidenceEntry struct {
	Seq     int64 // from 0, without gaps
	At      time.Time
	Kind    EvidenceKind
	Subject string // id of what it covers
	Body    []byte
}

// EvidenceVersion is the version of the body format below.
const EvidenceVersion = 1

// body is the canonical form: JSON of Go structs with fixed field order, times
// as UTC with six decimals. Readers recompute it from the rows and compare.
func body(kind EvidenceKind, fields any) []byte {
	b, err := json.Marshal(struct {
		V    int          `json:"v"`
		Kind EvidenceKind `json:"kind"`
		Data any          `json:"data"`
	}{EvidenceVersion, kind, fields})
	if err != nil {
		panic("candor: evidence body: " + err.Error()) // only strings and numbers go in
	}
	return b
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// EvidenceBody is what the log covers of a capture and its files.
func (c Capture) EvidenceBody(files []Artefact) []byte {
	type file struct {
		N    int          `json:"n"`
		Kind ArtefactKind `json:"kind"`
		Name string       `json:"name"`
		SHA  string       `json:"sha256"`
		Size int64        `json:"size"`
	}
	list := make([]file, len(files))
	for i, f := range files {
		list[i] = file{f.N, f.Kind, f.Name, f.SHA, f.Size}
	}
	return body(EvidenceCapture, struct {
		ID          string  `json:"id"`
		SourceID    string  `json:"source_id"`
		RecordID    string  `json:"record_id"`
		URL         string  `json:"url"`
		FinalURL    string  `json:"final_url"`
		Title       string  `json:"title"`
		Profile     Profile `json:"profile"`
		Policy      Policy  `json:"policy"`
		Outcome     Outcome `json:"outcome"`
		Reason      string  `json:"reason"`
		HTTPStatus  int     `json:"http_status"`
		Scheduled   string  `json:"scheduled"`
		Started     string  `json:"started"`
		Finished    string  `json:"finished"`
		Committed   string  `json:"committed"`
		Browser     string  `json:"browser"`
		ManifestSHA string  `json:"manifest_sha256"`
		Files       []file  `json:"files"`
	}{c.ID, c.SourceID, c.RecordID, c.URL, c.FinalURL, c.Title, c.Profile, c.Policy, c.Outcome, c.Reason, c.HTTPStatus,
		stamp(c.ScheduledAt), stamp(c.StartedAt), stamp(c.FinishedAt), stamp(c.CommittedAt), c.Browser, c.ManifestSHA, list})
}

// EvidenceBody is what the log covers of a revision: its words by their hash,
// so that the log itself can be published.
func (r Revision) EvidenceBody(attachments []Attachment) []byte {
	type file struct {
		N    int    `json:"n"`
		Type string `json:"type"`
		URL  string `json:"url"`
		Alt  string `json:"alt"`
		SHA  string `json:"sha256"`
	}
	list := make([]file, len(attachments))
	for i, a := range attachments {
		list[i] = file{a.N, a.Type, SHA256([]byte(a.URL)), SHA256([]byte(a.Alt)), a.SHA}
	}
	return body(EvidenceRevision, struct {
		ID          string `json:"id"`
		RecordID    string `json:"record_id"`
		N           int    `json:"n"`
		Text        string `json:"text_sha256"`
		HTML        string `json:"html_sha256"`
		ContentHash string `json:"content_hash"`
		Seen        string `json:"seen"`
		Edited      string `json:"edited"`
		How         string `json:"how"`
		Answer      string `json:"answer_sha256"`
		Attachments []file `json:"attachments"`
	}{r.ID, r.RecordID, r.N, SHA256([]byte(r.Text)), SHA256([]byte(r.HTML)), r.ContentHash, stamp(r.SeenAt), stamp(r.EditedAt), r.How, r.AnswerSHA, list})
}

// EvidenceBody is what the log covers of a tombstone. Its closing is an entry
// of its own with Closed set.
func (t Tombstone) EvidenceBody() []byte {
	return body(EvidenceTombstone, struct {
		ID        string `json:"id"`
		RecordID  string `json:"record_id"`
		NotBefore string `json:"not_before"`
		NotAfter  string `json:"not_after"`
		Noticed   string `json:"noticed"`
		How       string `json:"how"`
		Answer    string `json:"answer_sha256"`
		Closed    string `json:"closed"`
	}{t.ID, t.RecordID, stamp(t.NotBefore), stamp(t.NotAfter), stamp(t.NoticedAt), t.How, t.AnswerSHA, stamp(t.ClosedAt)})
}

// EvidenceBody is what the log covers of an event, with the messages sent in
// it (by hash: the log holds no one's words).
func (e Event) EvidenceBody(messages []Message) []byte {
	type msg struct {
		ID       string `json:"id"`
		Outgoing bool   `json:"outgoing"`
		Body     string `json:"body_sha256"`
	}
	list := make([]msg, len(messages))
	for i, m := range messages {
		list[i] = msg{m.ID, m.Outgoing, SHA256([]byte(m.Body))}
	}
	return body(EvidenceEvent, struct {
		ID        string        `json:"id"`
		RequestID string        `json:"request_id"`
		N         int           `json:"n"`
		Kind      EventKind     `json:"event"`
		At        string        `json:"at"`
		ActorKind PrincipalKind `json:"actor_kind"`
		ActorID   string        `json:"actor_id"`
		Actor     string        `json:"actor_sha256"`
		Detail    string        `json:"detail_sha256"`
		Law       string        `json:"law"`
		Messages  []msg         `json:"messages"`
	}{e.ID, e.RequestID, e.N, e.Kind, stamp(e.At), e.ActorKind, e.ActorID, SHA256([]byte(e.Actor)), SHA256([]byte(e.Detail)), e.Law, list})
}

// EvidenceBody is what the log covers of a sealed production.
func (p Production) EvidenceBody(items []ProductionItem) []byte {
	type item struct {
		N      int    `json:"n"`
		Name   string `json:"name"`
		SHA    string `json:"sha256"`
		Parent string `json:"parent_sha256"`
		Size   int64  `json:"size"`
	}
	list := make([]item, len(items))
	for i, x := range items {
		list[i] = item{x.N, x.Name, x.SHA, x.ParentSHA, x.Size}
	}
	return body(EvidenceProduction, struct {
		ID        string `json:"id"`
		RequestID string `json:"request_id"`
		By        string `json:"prepared_by"`
		At        string `json:"prepared"`
		Bundle    string `json:"bundle_sha256"`
		Items     []item `json:"items"`
	}{p.ID, p.RequestID, p.PreparedBy, stamp(p.PreparedAt), p.BundleSHA, list})
}

// EvidenceBody is what the log covers of a release.
func (r Release) EvidenceBody() []byte {
	return body(EvidenceRelease, struct {
		ID           string `json:"id"`
		RequestID    string `json:"request_id"`
		ProductionID string `json:"production_id"`
		By           string `json:"by"`
		At           string `json:"at"`
		To           string `json:"to"`
	}{r.ID, r.RequestID, r.ProductionID, r.By, stamp(r.At), r.To})
}

// SettingsBody is what the log covers of a change to sources, users or the
// agency: who changed what, in words without secrets.
func SettingsBody(at time.Time, by, what string) []byte {
	return body(EvidenceSettings, struct {
		At   string `json:"at"`
		By   string `json:"by"`
		What string `json:"what"`
	}{stamp(at), by, what})
}
